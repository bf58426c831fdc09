"""The shelf names every recipe in full, however narrow the terminal."""

import pytest

from openbook.cli.shelf import show_shelf
from openbook.recipes import all_recipes


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_recipes_are_named_in_full_and_no_line_is_too_wide(columns, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path))
    show_shelf(as_json=False)
    shown = capsys.readouterr().out
    assert all(name in shown for name in all_recipes())
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= columns
