"""`openbook`: the shelf with the recipes, what one learns from each, and the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openbook.cli.output import print_json

if TYPE_CHECKING:
    from rich.table import Table

# Narrower terminals get a few lines per recipe instead of a table.
_TABLE_WIDTH = 80


def show_shelf(*, as_json: bool) -> None:
    """Print the recipes as a table, or as JSON."""
    rows = _rows()
    if as_json:
        print_json({"recipes": rows})
        return
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False)
    if console.width >= _TABLE_WIDTH:
        console.print(_table(rows))
    else:
        for row in rows:
            console.print(Text(f"{row['recipe']}, chapter {row['chapter']}", "bold"))
            console.print(Padding(Text(f"{row['learns']}\nlast run: {_last_run(row)}"), (0, 0, 0, 2)))
    console.print(
        "\nNew here?  openbook demo\n"
        "Your data: openbook train text-generator --data FILE-OR-FOLDER\n"
        "More:      openbook --help",
        markup=False,
    )


def _table(rows: list[dict[str, Any]]) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("recipe", "chapter", "what one learns", "last run"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "recipe")
    for row in rows:
        table.add_row(row["recipe"], str(row["chapter"]), row["learns"], _last_run(row))
    return table


def _last_run(row: dict[str, Any]) -> str:
    return f"{row['last_run']} ({row['last_date']})" if row["last_run"] else "–"


def _rows() -> list[dict[str, Any]]:
    from openbook.recipes import all_recipes
    from openbook.runs import list_runs

    last = {run.recipe: run for run in sorted(list_runs(), key=lambda run: run.created)}
    rows = []
    for name, recipe in all_recipes().items():
        run = last.get(name)
        rows.append(
            {
                "recipe": name,
                "chapter": recipe.chapter,
                "title": recipe.title,
                "learns": recipe.learns,
                "last_run": run.name if run else None,
                "last_date": run.created.astimezone().strftime("%Y-%m-%d") if run else None,
            }
        )
    return rows
