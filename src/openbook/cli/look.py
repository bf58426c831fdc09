"""`openbook look`: open models like a book, in the browser or as a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from openbook.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(look)


def look(
    things: Annotated[
        list[str],
        typer.Argument(metavar="RUN-OR-FILE …", help="Runs or .keras files; several to compare them."),
    ],
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            help="What to look at first: for a run a text; for a file a .npy, .npz or .json file, or numbers. "
            "May be given several times with --html.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Write one file that opens without a server and without a network, instead of serving."
        ),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    port: Annotated[int, typer.Option(help="Of the server; a free one when left out.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="One line of JSON with the address once the server listens.")
    ] = False,
) -> None:
    """Open a model like a book: every value of it, and where each number comes from. Ctrl-C ends it.

    Example: openbook look last
    """
    from openbook.data.cache import cache_folder
    from openbook.training.devices import prepare_jax

    prepare_jax(cache_folder())
    if html is not None:
        _write(html, things, given or [], as_json=as_json)
        return
    if len(given or []) > 1:
        raise UsageError("several --input go with --html only; on the page you can type as many as you like")
    from openbook.looking import subject_of
    from openbook.page.server import PageServer

    subjects = [subject_of(thing, _input(thing, given[0]) if given else None) for thing in things]
    server = PageServer(subjects, port=port)

    def announce(url: str) -> None:
        if as_json:
            print(json.dumps({"url": url}), flush=True)
        else:
            print(f"{url}\nCtrl-C ends it.", file=sys.stderr, flush=True)
        if not no_browser:
            import webbrowser

            webbrowser.open(url)

    server.serve(announce)


def _input(thing: str, given: str) -> object:
    """An input as the model takes it: a text for a run, arrays for a file."""
    from openbook.cli.subject import read_arrays

    return read_arrays(given) if thing.endswith(".keras") else given


def _write(path: Path, things: list[str], inputs: list[str], *, as_json: bool) -> None:
    raise NotImplementedError
