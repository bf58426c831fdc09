"""`openbook runs` lists the runs, `openbook runs show RUN` tells everything about one."""

from typing import TYPE_CHECKING, Annotated

import typer

from openbook.cli.output import print_json

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from openbook.runs.summary import RunSummary

__all__ = ["list_all", "register", "show"]

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]

_STATUS_STYLES = {"complete": "green", "training": "cyan", "interrupted": "yellow", "failed": "red"}
# Narrower terminals get a few lines per run instead of a table.
_TABLE_WIDTH = 110


def register(app: typer.Typer) -> None:
    """Adds `runs` and `runs show` to the app."""
    group = typer.Typer(invoke_without_command=True, no_args_is_help=False)
    group.callback()(list_all)
    group.command("show")(show)
    app.add_typer(group, name="runs")


def list_all(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the runs: recipe, data, date, machine, time and score, the newest first."""
    if context.invoked_subcommand is not None:
        return
    from openbook.runs import damaged_runs, list_runs, runs_folder
    from openbook.runs.summary import summarize

    summaries = [summarize(run) for run in list_runs()]
    damaged = {name: str(error) for name, error in damaged_runs().items()}
    if as_json:
        print_json(
            {
                "folder": str(runs_folder()),
                "runs": [summary.to_dict() for summary in summaries],
                "damaged": [{"name": name, "problem": problem} for name, problem in damaged.items()],
            }
        )
        return
    _print_list(summaries, damaged)


def show(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's name, its folder, or last.")],
    as_json: JsonOption = False,
) -> None:
    """Tell everything about one run: settings, data, machine, score, curve, samples and how to go on."""
    from openbook.runs import find_run
    from openbook.runs.details import RunDetails

    found = find_run(run)
    found.verify()
    details = RunDetails.of(found)
    # `openbook runs --json show RUN` asks for the same as `openbook runs show RUN --json`.
    if as_json or (context.parent is not None and context.parent.params.get("as_json")):
        print_json(details.to_dict())
        return
    from rich.console import Console

    details.render(Console(highlight=False))


def _print_list(summaries: "list[RunSummary]", damaged: dict[str, str]) -> None:
    from rich.console import Console
    from rich.text import Text

    from openbook.runs import runs_folder
    from openbook.runs.names import shown_path

    console = Console(highlight=False)
    folder = shown_path(runs_folder())
    if not summaries and not damaged:
        console.print(Text(f"There are no runs in {folder} yet."))
        console.print(Text("Train the first one, about two minutes: openbook train text-generator"))
        return
    if console.width >= _TABLE_WIDTH:
        console.print(_list_table(summaries))
    else:
        for summary in summaries:
            console.print(_list_lines(summary))
    for name, problem in damaged.items():
        console.print(Text.assemble((name, "bold"), "  ", ("damaged", "red"), f"\n  {problem}"))
    if summaries:
        name = summaries[0].name
        console.print(Text(f"{len(summaries)} in {folder}. More about one: openbook runs show {name}", "dim"))


def _list_table(summaries: "list[RunSummary]") -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("run", "recipe", "data", "date", "machine"):
        table.add_column(title, overflow="fold")
    table.add_column("time", justify="right")
    table.add_column("score", justify="right")
    table.add_column("status")
    for summary in summaries:
        table.add_row(
            Text(summary.name, "bold"),
            *(Text(cell) for cell in _cells(summary)),
            Text(summary.status, _STATUS_STYLES[summary.status]),
        )
    return table


def _list_lines(summary: "RunSummary") -> "RenderableType":
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    heading = Text.assemble((summary.name, "bold"), "  ", (summary.status, _STATUS_STYLES[summary.status]))
    facts = " · ".join(cell for cell in _cells(summary) if cell not in ("", "–"))
    return Group(heading, Padding(Text(facts, "dim"), (0, 0, 0, 2), expand=False))


def _cells(summary: "RunSummary") -> tuple[str, ...]:
    from openbook.runs.readable import plain_text, readable_duration, score_text

    return (
        plain_text(summary.recipe),
        summary.data,
        f"{summary.created.astimezone():%Y-%m-%d %H:%M}",
        summary.machine,
        readable_duration(summary.train_s),
        score_text(summary.score),
    )
