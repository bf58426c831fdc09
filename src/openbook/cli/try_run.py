"""`openbook try`: use a trained run on something of one's own."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from openbook.cli.output import JsonOption, print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("try")(try_run)


def try_run(
    run: Annotated[str, typer.Argument(help="A run by name or path; `last` for the newest.")],
    input_text: Annotated[
        str | None,
        typer.Argument(
            metavar="[INPUT]",
            help="A text to go on with, a file, numbers: what the run's recipe takes; asked for when left out.",
        ),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Higher is bolder; 0 always takes the most probable token.")
    ] = None,
    top_k: Annotated[int | None, typer.Option(help="Draw from the k most probable tokens only.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Draw from the most probable tokens that reach this probability.")
    ] = None,
    repetition_penalty: Annotated[
        float | None, typer.Option(help="Above 1: less of what was written already.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Stop after so many tokens.")] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same text.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Use a trained model: let it continue a text, or say what it makes of a file, a text or numbers.

    Examples: openbook try last "This movie" --temperature 0.7

              openbook try digits-1 photo.jpg
    """
    from openbook.recipes import recipe_class
    from openbook.relaunch import relaunch_with_malloc_settings
    from openbook.runs import find_run

    found = find_run(run)
    recipe = recipe_class(found.recipe)
    relaunch_with_malloc_settings()
    given: dict[str, Any] = {
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "repetition_penalty": repetition_penalty,
        "max_tokens": max_tokens,
        "seed": seed,
    }
    options = {name: value for name, value in given.items() if value is not None}
    if as_json:
        answer = recipe.answer(found, input_text or "", **options)
        shown = {"run": str(found.path), "recipe": found.recipe, "input": input_text or ""}
        print_json({**shown, "output": str(answer["answer"]), **answer})
    elif input_text is not None or not sys.stdin.isatty():
        _stream(
            recipe.use(found, input_text or "", **options), (input_text or "") if recipe.writes_on else ""
        )
    else:
        _converse(lambda text: recipe.use(found, text, **options), writes_on=recipe.writes_on)


def _stream(pieces: Any, beginning: str) -> None:
    from openbook.runs.readable import plain_text

    print(beginning, end="", flush=True)
    for piece in pieces:
        print(plain_text(piece), end="", flush=True)
    print()


def _converse(use: Any, *, writes_on: bool) -> None:
    """Ask for inputs until an empty line or the end of input."""
    what = "a beginning" if writes_on else "an input (a text, numbers, or the path of a file)"
    print(f"Type {what} and press Enter; an empty line ends.", file=sys.stderr)
    while True:
        try:
            text = input("> ")
        except EOFError:
            return
        if not text.strip():
            return
        _stream(use(text), text if writes_on else "")
