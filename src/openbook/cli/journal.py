"""`openbook journal`: what was run, what it took and what was found, as a file in which one's own words stay."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbook.cli.output import JsonOption, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from openbook.journal.merge import SystemOfGroup
    from openbook.journal.writing import Written

# Narrower terminals get a few lines per run instead of a table.
_TABLE_WIDTH = 100
_GROUP_TITLE = (
    "# Our journals\n\n"
    "What stands between the comments `openbook …` is written anew by `openbook journal merge`. Everything else "
    "stays.\n"
)

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
    group.command("merge")(merge)
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


def merge(
    context: typer.Context,
    journals: Annotated[
        list[Path],
        typer.Argument(
            metavar="JOURNAL …", help="journal.md files, folders that hold one, or folders of runs."
        ),
    ],
    file: Annotated[Path, typer.Option(help="The file to write.")] = Path("group.md"),
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File for the picture; beside the file when left out.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put the journals of a group side by side: same system, different machines and data, the fastest marked."""
    import os
    from urllib.parse import quote

    from openbook.journal.merge import group_lines, merge_journals
    from openbook.journal.merge_picture import check_picture_path, draw_group
    from openbook.journal.writing import write_with_own_words

    target = file.with_suffix(".png") if picture is None else picture
    check_picture_path(target)
    systems = merge_journals(journals, say=lambda message: print(message, file=sys.stderr))
    draw_group(systems, target)
    place = quote(Path(os.path.relpath(target.absolute(), file.absolute().parent)).as_posix())
    _, problems = write_with_own_words(file, _GROUP_TITLE, lambda text: group_lines(systems, place))
    for problem in problems:
        print(f"{file}: {problem}", file=sys.stderr)
    # `openbook journal --json merge …` asks for the same as `openbook journal merge … --json`.
    if as_json or (context.parent is not None and context.parent.params.get("as_json")):
        print_json(
            {
                "file": str(file.absolute()),
                "picture": str(target.absolute()),
                "systems": [system.to_dict() for system in systems],
            }
        )
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for system in systems:
        _show_system(console, system)
    console.print(Text(f"\nWritten to {file}; the picture: {target}"))


def _show_system(console: Console, system: SystemOfGroup) -> None:
    from rich import box
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from openbook.journal.merge import seconds_text
    from openbook.runs.readable import plain_text, readable_duration, score_text

    chapter = f", chapter {system.chapter}" if system.chapter is not None else ""
    console.print(Text(f"\n{plain_text(system.title)}{chapter}", "bold"))
    rows = [
        (
            plain_text(line.who),
            plain_text(line.entry.machine),
            plain_text(line.entry.data) or "–",
            seconds_text(line.seconds) + (" fastest" if line.is_fastest else ""),
            readable_duration(line.entry.train_s),
            score_text(line.entry.score),
            line.is_fastest,
        )
        for line in system.lines
    ]
    if console.width >= _TABLE_WIDTH:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("who", "machine", "data", f"per {system.measure}", "training", "score"):
            table.add_column(heading, overflow="fold")
        for *cells, is_fastest in rows:
            table.add_row(*(Text(cell, "bold green" if is_fastest else "") for cell in cells))
        console.print(table)
    else:
        for who, machine, data, seconds, training, score, is_fastest in rows:
            said = f"{machine} · {data}\n{seconds} per {system.measure} · {training} of training · {score}"
            console.print(Text(who, "bold"))
            console.print(Padding(Text(said, "green" if is_fastest else ""), (0, 0, 0, 2), expand=False))
    if system.remark:
        console.print(Text(system.remark, "dim"))


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
