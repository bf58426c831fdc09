"""`openbook plan`: the chapters of the book, what was run, what is open, and when a group talks about which."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openbook.cli.output import JsonOption, print_json
from openbook.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from openbook.journal.plan import Chapter, Meeting

_TABLE_WIDTH = 90
_STYLES = {"done": "green", "begun": "yellow", "open": ""}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(plan)


def plan(
    meetings: Annotated[
        str | None,
        typer.Option(metavar="DAY,DAY,…", help="Lay the chapters out over these days: 2026-12-07,…"),
    ] = None,
    start: Annotated[
        int | None, typer.Option("--from", min=1, help="Begin with this chapter.", metavar="CHAPTER")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Make no forecasts; tell times from earlier runs and default budgets."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the chapters of the book: what was run, what is open, and roughly how long it takes on this machine.

    Example: openbook plan --meetings 2026-12-07,2026-12-14,2026-12-21
    """
    if not quick:
        from openbook.relaunch import relaunch_with_malloc_settings

        relaunch_with_malloc_settings()  # the forecast is of a training command, which does so too
    from openbook.journal.plan import lay_out, parse_meetings, plan_of
    from openbook.journal.times import times_here
    from openbook.runs import list_runs

    days = parse_meetings(meetings) if meetings is not None else []
    runs = list_runs()
    chapters = plan_of(runs, time_of=times_here(runs, say=_say, may_forecast=not quick))
    if start is not None:
        chapters = [chapter for chapter in chapters if chapter.number >= start]
        if not chapters:
            raise UsageError(f"--from {start}: the book has 14 chapters")
    laid_out = lay_out(chapters, days)
    if as_json:
        print_json(
            {
                "chapters": [chapter.to_dict() for chapter in chapters],
                "meetings": [
                    {"day": each.day.isoformat(), "chapters": [chapter.number for chapter in each.chapters]}
                    for each in laid_out
                ],
            }
        )
        return
    from rich.console import Console

    console = Console(highlight=False)
    _show(console, chapters)
    if laid_out:
        _show_meetings(console, laid_out)


def _say(message: str) -> None:
    print(message, file=sys.stderr)


def _show(console: Console, chapters: Sequence[Chapter]) -> None:
    from rich import box
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    rows = [row for chapter in chapters for row in _rows(chapter)]
    if console.width >= _TABLE_WIDTH:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("", justify="right")
        for heading in ("chapter", "to do", "state", "here"):
            table.add_column(heading, overflow="fold")
        for number, title, what, state, time in rows:
            table.add_row(number, Text(title, "bold"), Text(what), Text(state, _style(state)), time)
        console.print(table)
    else:
        for number, title, what, state, time in rows:
            if number:
                console.print(Text(f"{number}. {title}", "bold"))
            said = " · ".join(part for part in (what, state, time) if part)
            console.print(Padding(Text(said, _style(state)), (0, 0, 0, 3), expand=False))
    bases = {system.time.basis for chapter in chapters for system in chapter.systems}
    told = {
        "earlier run": "from a run on this machine",
        "forecast": "“about”: forecast for this machine",
        "default budget": "or, where the data is not here yet, from the recipe's default budget",
    }
    console.print(Text(f"Times: {'; '.join(text for basis, text in told.items() if basis in bases)}.", "dim"))


def _rows(chapter: Chapter) -> list[tuple[str, str, str, str, str]]:
    """Lines of one chapter: its number and title stand in the first."""
    rows: list[tuple[str, str, str]] = []
    for system in chapter.systems:
        state = f"{system.status}: {system.runs[0]}" if system.runs else system.status
        state += f", {system.score}" if system.score else ""
        rows.append((f"openbook train {system.recipe}", state, str(system.time)))
    rows += [(command, "", "") for command in chapter.commands]
    rows += [(title, "not in openbook yet", "") for title in chapter.missing]
    rows = rows or [("to read", "", "")]
    return [
        (str(chapter.number) if index == 0 else "", chapter.title if index == 0 else "", *row)
        for index, row in enumerate(rows)
    ]


def _style(state: str) -> str:
    return "dim" if state.startswith("not ") else _STYLES.get(state.split(":")[0], "")


def _show_meetings(console: Console, meetings: Sequence[Meeting]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from openbook.journal.times import rough

    console.print(Text("\nMeetings", "bold"))
    for meeting in meetings:
        console.print(Text(f"{meeting.day:%a %Y-%m-%d}", "bold"))
        if not meeting.chapters:
            console.print(Padding(Text("nothing left: projects of your own"), (0, 0, 0, 3), expand=False))
            continue
        for chapter in meeting.chapters:
            console.print(Padding(Text(f"{chapter.number}. {chapter.title}"), (0, 0, 0, 3), expand=False))
        to_run: list[Any] = [
            system for chapter in meeting.chapters for system in chapter.systems if not system.is_done
        ]
        if to_run:
            names = ", ".join(system.recipe for system in to_run)
            total = rough(sum(system.time.seconds for system in to_run))
            console.print(
                Padding(Text(f"to run before: {names}; {total} together"), (0, 0, 0, 3), expand=False)
            )
