"""`openbook data`: what openbook finds in some data, before anything is trained."""

from __future__ import annotations

from typing import Annotated

import typer

from openbook.cli.output import JsonOption, print_json
from openbook.cli.train import reporting


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(data)


def data(
    source: Annotated[str, typer.Argument(help="A data set by name (imdb), or a file, folder or zip.")],
    text_column: Annotated[
        str | None, typer.Option(help="Column that holds the text, for tables; guessed when left out.")
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option(help="Read at most so many bytes; 1 GiB when left out.")
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="Read it as this recipe does; see `openbook` for their names.")
    ] = "text-generator",
    target: Annotated[str | None, typer.Option(help="Column of what is to be learned, for tables.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Read some data and report what was found, skipped and guessed.

    Example: openbook data my-pictures/ --recipe digits
    """
    from openbook.recipes import make_recipe

    with reporting(quiet=as_json) as reporter:
        given = {"text_column": text_column, "max_bytes": max_bytes, "target": target}
        settings = {name: value for name, value in given.items() if value is not None}
        report = make_recipe(recipe, {"data": source, **settings}).load_data(reporter).report
    if as_json:
        print_json(report.to_dict())
        return
    from rich.console import Console

    report.render(Console(highlight=False))
