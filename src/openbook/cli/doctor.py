"""`openbook doctor`: looks at everything that training needs; each failure comes with its fix."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from openbook.cli.output import print_json

if TYPE_CHECKING:
    from rich.table import Table

    from openbook.doctor import Check

__all__ = ["doctor", "register"]

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def register(app: typer.Typer) -> None:
    """Adds `doctor` to the app."""
    app.command()(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Look at Python, packages, devices, memory, disk and speed; say how to mend what is wrong."""
    if as_json:
        checks = list(_run_all())
        is_well = not any(check.status == "fail" for check in checks)
        print_json({"ok": is_well, "checks": [check.to_dict() for check in checks]})
    else:
        checks = _print_all()
    if any(check.status == "fail" for check in checks):
        raise typer.Exit(1)


def _run_all() -> "Iterator[Check]":
    from openbook.doctor import CHECKS, run_check

    for check in CHECKS:
        yield run_check(check)


def _print_all() -> "list[Check]":
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    checks = []
    for check in _run_all():
        # One by one: loading Keras and JAX takes a few seconds.
        console.print(_line(check))
        checks.append(check)
    num_failures = sum(check.status == "fail" for check in checks)
    num_warnings = sum(check.status == "warn" for check in checks)
    if num_failures:
        console.print(
            Text(f"\n{num_failures} to mend before training; the way is shown below each.", "bold red")
        )
    elif num_warnings:
        console.print(Text('\nTraining works; what is marked "warn" could be better.', "yellow"))
    else:
        console.print(Text("\nAll is well. Start with: openbook demo", "green"))
    return checks


def _line(check: "Check") -> "Table":
    from rich.table import Table
    from rich.text import Text

    from openbook.runs.readable import plain_text

    line = Table.grid(padding=(0, 2))
    line.add_column(width=4)
    line.add_column(width=15)
    line.add_column(overflow="fold")
    line.add_row(Text(check.status, _STYLES[check.status]), Text(check.name), Text(plain_text(check.found)))
    if check.fix:
        line.add_row("", Text("fix:", style="bold", justify="right"), Text(plain_text(check.fix), "bold"))
    return line
