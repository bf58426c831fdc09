"""`openbook compare RUN RUN …`: settings that differ, scores, and the curves as a picture file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbook.cli.output import print_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from openbook.runs.compare import Comparison

__all__ = ["compare", "register"]

_PICTURE_NAME = "comparison.png"


def register(app: typer.Typer) -> None:
    """Adds `compare` to the app."""
    app.command()(compare)


def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN RUN …", help="Two or more runs: names, folders or last.")
    ],
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"File for the curves (.png, .svg, .pdf); else {_PICTURE_NAME} beside the first run.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Compare runs: the settings that differ, the scores, and the curves as a picture file."""
    from openbook.runs import find_run
    from openbook.runs.compare import compare_runs
    from openbook.runs.curve_picture import draw_curves
    from openbook.runs.names import shown_path

    comparison = compare_runs([find_run(name) for name in runs])
    target = comparison.runs[0].path.parent / _PICTURE_NAME if picture is None else picture
    if as_json:
        drawn = draw_curves(comparison, target)
        print_json({**comparison.to_dict(), "picture": str(drawn.absolute())})
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    _print_comparison(comparison, console)
    drawn = draw_curves(comparison, target)
    console.print(Text(f"\nCurves: {shown_path(drawn.absolute())}"))


def _print_comparison(comparison: "Comparison", console: "Console") -> None:
    from rich.text import Text

    from openbook.runs.readable import (
        plain_text,
        readable_duration,
        readable_score,
        readable_value,
        score_label,
    )

    summaries = comparison.summaries
    facts = {
        "recipe": [plain_text(summary.recipe) for summary in summaries],
        "status": [summary.status for summary in summaries],
        "data": [summary.data for summary in summaries],
        "machine": [summary.machine for summary in summaries],
        "steps": [readable_value(summary.steps) for summary in summaries],
        "training time": [readable_duration(summary.train_s) for summary in summaries],
    }
    settings = {
        plain_text(name): [readable_value(value) for value in values]
        for name, values in comparison.settings.items()
    }
    scores = {
        score_label(name): [
            readable_score(name, value) + (" *" if comparison.best.get(name) == label else "")
            for label, value in zip(comparison.labels, values, strict=True)
        ]
        for name, values in comparison.scores.items()
    }
    _print_table(console, comparison, title="Runs", rows=facts)
    if settings:
        _print_table(console, comparison, title="Settings that differ", rows=settings)
    else:
        console.print(Text("\nAll settings are the same.", "bold"))
    if scores:
        _print_table(console, comparison, title="Scores on held-out data", rows=scores)
    if comparison.best:
        console.print(Text("* best", "dim"))
    for warning in comparison.warnings:
        console.print(Text(f"Beware: {warning}.", "yellow"))


def _print_table(
    console: "Console", comparison: "Comparison", *, title: str, rows: dict[str, list[str]]
) -> None:
    """One column per run where that fits, else one line per run below each name."""
    from rich import box
    from rich.measure import Measurement
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console.print(Text(f"\n{title}", "bold"))
    wide = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    wide.add_column("")
    for label in comparison.labels:
        wide.add_column(Text(label))
    for name, cells in rows.items():
        wide.add_row(Text(name), *(_cell(cell) for cell in cells))
    # Measured without the console's own limit, which would make every table seem to fit.
    if Measurement.get(console, console.options.update(max_width=10_000), wide).maximum <= console.width:
        console.print(wide)
        return
    for name, cells in rows.items():
        if len(set(cells)) == 1:
            console.print(Text.assemble(name, ("  all: ", "dim"), cells[0]))
            continue
        narrow = Table.grid(padding=(0, 2))
        narrow.add_column(overflow="fold")
        narrow.add_column(overflow="fold")
        for label, cell in zip(comparison.labels, cells, strict=True):
            narrow.add_row(Text(label, "dim"), _cell(cell))
        console.print(Text(name))
        console.print(Padding(narrow, (0, 0, 0, 2), expand=False))


def _cell(text: str) -> "Text":
    from rich.text import Text

    return Text(text, "bold green" if text.endswith(" *") else "")
