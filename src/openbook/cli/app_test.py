"""However a command ends, it says so in words and with an exit code."""

import pytest

from openbook.cli import app
from openbook.errors import DataError, Interrupted


def ending(error, monkeypatch, capsys):
    """Exit code and standard error of a command that ends with this error."""

    def command(**options):
        raise error

    monkeypatch.setattr(app, "app", command)
    with pytest.raises(SystemExit) as end:
        app.main()
    return end.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "exit_code", "said"),
    [
        (DataError("no text"), 1, "openbook: no text"),
        (Interrupted("stopped after step 3"), 130, "openbook: stopped after step 3"),
        (SystemExit(130), 130, "openbook: stopped"),  # what Typer makes of Ctrl-C
        (KeyboardInterrupt(), 130, "openbook: stopped"),
    ],
)
def test_expected_endings_are_told_in_a_line(error, exit_code, said, monkeypatch, capsys):
    assert ending(error, monkeypatch, capsys) == (exit_code, said + "\n")


def test_a_failure_that_nobody_foresaw_is_told_without_a_traceback(monkeypatch, capsys):
    exit_code, said = ending(ZeroDivisionError("by zero"), monkeypatch, capsys)
    assert exit_code == 1
    assert "ZeroDivisionError: by zero (app_test.py, line" in said
    assert "Traceback" not in said
    monkeypatch.setenv("OPENBOOK_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        app.main()
