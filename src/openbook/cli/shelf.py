"""`openbook`: the shelf with the recipes, what one learns from each, and the last run."""

from __future__ import annotations

from typing import Any

from openbook.cli.output import print_json


def show_shelf(*, as_json: bool) -> None:
    """Print the recipes as a table, or as JSON."""
    rows = _rows()
    if as_json:
        print_json({"recipes": rows})
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("recipe", "chapter", "what one learns", "last run"):
        table.add_column(heading)
    for row in rows:
        last = f"{row['last_run']} ({row['last_date']})" if row["last_run"] else "–"
        table.add_row(row["recipe"], str(row["chapter"]), row["learns"], last)
    console.print(table)
    console.print(
        "\nNew here?  openbook demo\n"
        "Your data: openbook train text-generator --data FILE-OR-FOLDER\n"
        "More:      openbook --help",
        markup=False,
    )


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
