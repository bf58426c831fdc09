"""Tests of `openbook doctor`."""

import json

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

import openbook.doctor
from openbook.cli import doctor as doctor_command
from openbook.doctor import Check


def check_good() -> Check:
    return Check(name="good", status="ok", found="all [bold]there[/bold]")


def check_weak() -> Check:
    return Check(name="weak", status="warn", found="a little slow", fix="plug in the power supply " * 6)


def check_bad() -> Check:
    return Check(name="bad", status="fail", found="missing\x1b[31m", fix="install it")


def check_broken() -> Check:
    raise RuntimeError("no idea")


def invoke(*arguments: str, columns: int = 60) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    doctor_command.register(app)
    return CliRunner().invoke(
        app, ["doctor", *arguments], env={"COLUMNS": str(columns)}, catch_exceptions=False
    )


def use(monkeypatch: pytest.MonkeyPatch, *checks: object) -> None:
    monkeypatch.setattr(openbook.doctor, "CHECKS", checks)


def test_failures_come_with_their_fix_and_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, check_good, check_weak, check_bad, check_broken)
    result = invoke()
    assert result.exit_code == 1
    assert all(len(line) <= 60 for line in result.stdout.splitlines())
    joined = " ".join(result.stdout.split())
    assert "ok good all [bold]there[/bold]" in joined
    assert "fail bad missing·[31m" in joined
    assert "fix: install it" in joined
    assert "RuntimeError: no idea" in joined
    assert "2 to mend before training" in joined


def test_warnings_alone_are_exit_code_0(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, check_good, check_weak)
    result = invoke()
    assert result.exit_code == 0
    assert "Training works" in result.stdout
    use(monkeypatch, check_good)
    assert "All is well" in invoke().stdout


@pytest.mark.parametrize(("is_well", "exit_code"), [(True, 0), (False, 1)])
def test_json_is_one_object(monkeypatch: pytest.MonkeyPatch, is_well: bool, exit_code: int) -> None:
    use(monkeypatch, check_good, check_weak, *([] if is_well else [check_bad]))
    result = invoke("--json")
    assert result.exit_code == exit_code
    content = json.loads(result.stdout)
    assert content["ok"] is is_well
    assert content["checks"][0] == {
        "name": "good",
        "status": "ok",
        "found": "all [bold]there[/bold]",
        "fix": "",
    }
