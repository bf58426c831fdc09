"""The command line: all commands, errors as messages, exit codes.

Exit codes: 0 done, 1 failure, 2 wrong use, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from openbook import __version__
from openbook.cli import (
    compare,
    data,
    demo,
    doctor,
    experiment,
    export,
    forecast,
    journal,
    lens,
    look,
    new,
    note,
    plan,
    profile,
    runs,
    score_text,
    survey,
    trace,
    train,
    try_run,
)
from openbook.cli.output import fail
from openbook.cli.shelf import show_shelf
from openbook.errors import OpenbookError, UsageError
from openbook.training_backend import settle_backend

_TRACEBACK_VARIABLE = "OPENBOOK_TRACEBACK"

app = typer.Typer(
    name="openbook",
    help="Train every model of a deep-learning textbook on your own data, and open it like a book.",
    no_args_is_help=False,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        print(f"openbook {__version__}")
        raise typer.Exit


@app.callback()
def shelf(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The shelf as one JSON object.")] = False,
) -> None:
    """Without a command: the shelf with the recipes there are."""
    if context.invoked_subcommand is None:
        show_shelf(as_json=as_json)
    elif as_json:
        raise UsageError(f"write --json after the command: openbook {context.invoked_subcommand} … --json")


# The order in which `openbook --help` lists them.
for module in (
    demo,
    forecast,
    train,
    try_run,
    score_text,
    look,
    lens,
    data,
    runs,
    compare,
    experiment,
    trace,
    export,
    new,
    plan,
    note,
    journal,
    survey,
    profile,
    doctor,
):
    module.register(app)


def main() -> NoReturn:
    """Run the command line of this process."""
    settle_backend()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character shows a question mark instead of failing.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app(standalone_mode=True)
    except OpenbookError as error:
        sys.exit(fail(str(error), exit_code=error.exit_code))
    except SystemExit as end:
        if end.code == 130:  # Typer turns Ctrl-C into this without a word
            fail("stopped", exit_code=130)
        raise
    except KeyboardInterrupt:
        sys.exit(fail("stopped", exit_code=130))
    except BrokenPipeError:
        # The reader of our output went away (`| head`); Python would complain again while closing.
        sys.stdout = None
        sys.exit(1)
    except Exception as error:
        if os.environ.get(_TRACEBACK_VARIABLE):
            raise
        sys.exit(fail(_unforeseen(error), exit_code=1))
    sys.exit(0)


def _unforeseen(error: Exception) -> str:
    """A failure that no error of ours foresees, in words that help to report it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    said = next(iter(str(error).splitlines()), "")
    return (
        f"failed in a way that was not foreseen: {type(error).__name__}: {said} "
        f"({os.path.basename(place.filename)}, line {place.lineno}). What was saved before is intact. "
        f"Please report it, with what {_TRACEBACK_VARIABLE}=1 before the command shows"
    )
