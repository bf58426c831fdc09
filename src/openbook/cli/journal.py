"""`openbook journal`: what was run, what it took and what was found, as a file in which one's own words stay."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbook.cli.output import JsonOption, print_json

if TYPE_CHECKING:
    from openbook.journal.writing import Written

_HELP = """Write journal.md from the runs: system, data, machine, settings, times, scores, samples and notes.

\b
Examples:

  openbook note last "fours look like nines" --hours 1.5

  openbook journal --html

  openbook journal merge anna/journal.md ben/journal.md

What you write into the file yourself, between and below the entries, stays whenever it is written again.
"""


def register(app: typer.Typer) -> None:
    """Add the command and its sub-command."""
    group = typer.Typer(invoke_without_command=True, rich_markup_mode=None, help=_HELP)
    group.callback()(journal)
    app.add_typer(group, name="journal")


def journal(
    context: typer.Context,
    file: Annotated[Path, typer.Option(help="The file to write.")] = Path("journal.md"),
    html: Annotated[
        bool, typer.Option("--html", help="Also one HTML file with everything inside, beside it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the journal of all runs."""
    if context.invoked_subcommand is not None:
        return
    from openbook.journal.writing import write_journal

    written = write_journal(file, html=file.with_suffix(".html") if html else None)
    for problem in written.problems:
        print(f"{file}: {problem}" if problem.startswith(("line ", "the part")) else problem, file=sys.stderr)
    if as_json:
        print_json(_as_dict(written))
        return
    _say(written)


def _as_dict(written: Written) -> dict[str, object]:
    return {
        "journal": str(written.path.absolute()),
        "html": None if written.html is None else str(written.html.absolute()),
        "runs": [entry.to_dict() for entry in written.entries],
        "gone": list(written.gone),
        "problems": list(written.problems),
    }


def _say(written: Written) -> None:
    number = len(written.entries)
    print(f"{written.path}: {number} {'run' if number == 1 else 'runs'}.")
    if written.gone:
        print(f"No longer here, and kept as they stood: {', '.join(written.gone)}.")
    if written.html is not None:
        print(f"The page: {written.html}")
    if not number:
        print("There are no runs yet. Train the first one, about two minutes: openbook train text-generator")
