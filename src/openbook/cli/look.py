"""`openbook look`: open models like a book, in the browser or as a file."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbook.errors import UsageError

if TYPE_CHECKING:
    from openbook.page.subject import Subject


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
            help="What to look at first: for a run what `openbook try` takes in words; for a file a picture, "
            "a .npy, .npz or .json file, or numbers. Several texts or pictures: give it several times.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Write one file that opens without a server and without a network, instead of serving."
        ),
    ] = None,
    lenses: Annotated[
        list[str] | None,
        typer.Option(
            "--lens", help="With --html: a lens whose picture is kept in it; several times for several."
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
    from openbook.looking import prepare

    prepare()
    inputs = given or []
    if html is not None:
        _write(html, things, inputs, lenses or [], as_json=as_json)
        return
    if lenses:
        raise UsageError("--lens is for --html; a page with a server shows every lens. Leave it out")
    from openbook.page.server import PageServer

    server = PageServer([_subject(thing, inputs) for thing in things], port=port)

    def announce(url: str) -> None:
        if as_json:
            print(json.dumps({"url": url}), flush=True)
        else:
            print(f"{url}\nCtrl-C ends it.", file=sys.stderr, flush=True)
        if not no_browser:
            import webbrowser

            webbrowser.open(url)

    server.serve(announce)
    # What JAX compiles in a thread cannot be stopped, and Python would crash when it ends meanwhile. Nothing is
    # left to be written, so the process goes as it is.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _subject(thing: str, inputs: list[str]) -> Subject:
    """A model, with the inputs that were given as what is looked at first."""
    from openbook.cli.subject import read_arrays
    from openbook.looking import PICTURE_ENDINGS, subject_of

    if not thing.endswith(".keras"):
        return subject_of(thing, inputs or None)
    pictures = [Path(each) for each in inputs if Path(each).suffix.lower() in PICTURE_ENDINGS]
    others = [each for each in inputs if Path(each) not in pictures]
    if len(others) > 1:
        raise UsageError("give the arrays of a .keras file in one --input; a batch may hold many of them")
    return subject_of(thing, read_arrays(others[0]) if others else None, pictures=pictures)


def _write(path: Path, things: list[str], inputs: list[str], lenses: list[str], *, as_json: bool) -> None:
    """The page as one file."""
    from openbook.page.single_file import single_file
    from openbook.runs.atomic import atomic_write
    from openbook.runs.readable import readable_size

    subjects = [_subject(thing, inputs) for thing in things]
    kinds = {subject.reader.spec()["kind"] for subject in subjects}
    is_typed = len(kinds) == 1 and kinds <= {"text", "line"}
    texts = (
        [{"kind": kind, "text": text} for kind in kinds for text in inputs] if is_typed and inputs else None
    )
    content = single_file(
        subjects, texts, say=lambda message: print(message, file=sys.stderr, flush=True), lenses=lenses
    ).encode()
    atomic_write(path, content)
    if as_json:
        print(json.dumps({"path": str(path), "size_bytes": len(content)}))
    else:
        print(f"wrote {path} ({readable_size(len(content))}); it opens in any browser, without a network")
