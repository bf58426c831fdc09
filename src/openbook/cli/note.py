"""`openbook note RUN "text" --hours 1.5`: the reader's own words and hours, kept with the run."""

from __future__ import annotations

from typing import Annotated

import typer

from openbook.cli.output import JsonOption, print_json
from openbook.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(note)


def note(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's name, its folder, or last.")],
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="What was found; left out, the notes are listed.")
    ] = None,
    hours: Annotated[float | None, typer.Option(help="Hours that you spent on it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write down what was found in a run, and the hours it took you; `openbook journal` shows it.

    Example: openbook note last "fours look like nines" --hours 1.5
    """
    from openbook.runs import find_run
    from openbook.runs.notes import add_note, read_notes
    from openbook.runs.readable import plain_text

    found = find_run(run)
    if text is not None or hours is not None:
        added = add_note(found, text or "", hours=hours)
        if as_json:
            print_json({"run": str(found.path), **added.to_dict()})
        else:
            print(f"Noted in {found.name}. The journal with it: openbook journal")
        return
    notes = read_notes(found)
    if as_json:
        print_json({"run": str(found.path), "notes": [each.to_dict() for each in notes]})
        return
    if not notes:
        raise UsageError(
            f'{found.name} has no notes yet. Write one: openbook note {found.name} "what was found" --hours 1.5'
        )
    for each in notes:
        said = f", {each.hours:g} h" if each.hours is not None else ""
        print(f"{each.time.astimezone():%Y-%m-%d %H:%M}{said}  {plain_text(each.text)}")
