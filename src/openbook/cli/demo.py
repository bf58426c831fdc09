"""`openbook demo`: the main job end to end, with what to do next."""

from __future__ import annotations

from typing import Annotated

import typer

from openbook.cli.output import JsonOption, QuietOption
from openbook.cli.train import run_recipe


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    budget: Annotated[str, typer.Option(help="Time to train.")] = "90s",
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train the text generator on real movie reviews and let it write.

    The first time, the reviews are fetched (13 MB); after that no network is needed.
    """
    from openbook.recipes import make_recipe

    result = run_recipe(
        make_recipe("text-generator", {"budget": budget}), name=None, quiet=quiet, as_json=as_json
    )
    if not as_json:
        print(_next_steps(result.run.name))


def _next_steps(run_name: str) -> str:
    return f"""
What next?
  openbook try {run_name} "This movie"     let it go on from your words
  openbook runs show {run_name}            its settings, scores and learning curve
  openbook train text-generator --budget 10m         longer training writes better
  openbook train text-generator --data my-texts/     on your own texts: a file, a folder, a table
  openbook                                            the shelf
"""
