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
    as_json: JsonOption = False,
) -> None:
    """Read some data and report what was found, skipped and guessed."""
    from openbook.data import load_texts

    with reporting(quiet=as_json) as reporter:
        documents = load_texts(
            source, text_column=text_column, max_bytes=max_bytes, progress=reporter.message
        )
    if as_json:
        print_json(documents.report.to_dict())
        return
    from rich.console import Console

    documents.report.render(Console(highlight=False))
