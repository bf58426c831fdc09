"""`openbook score-text`: is what a text generator writes still gibberish?"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openbook.cli.output import JsonOption, QuietOption, print_json
from openbook.cli.train import reporting

if TYPE_CHECKING:
    from openbook.recipes.text_quality import TextScore


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("score-text")(score_text)


def score_text(
    run: Annotated[str, typer.Argument(help="A run of the text-generator; `last` for the newest.")],
    samples: Annotated[int, typer.Option(help="Number of texts to write.")] = 200,
    max_tokens: Annotated[int, typer.Option(help="Length of each, in tokens.")] = 120,
    temperature: Annotated[float, typer.Option(help="Higher is bolder.")] = 0.7,
    top_p: Annotated[
        float, typer.Option(help="Draw from the most probable tokens that reach this probability.")
    ] = 0.9,
    seed: Annotated[int, typer.Option(help="Same seed, same texts.")] = 0,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure what a run writes: repetition, variety, copies, unknown words, and whether a judge is fooled.

    Beside it stand held-out texts of people, cut to the same lengths. Example: openbook score-text last
    """
    from openbook.recipes.text_quality import score_text as score
    from openbook.relaunch import relaunch_with_malloc_settings
    from openbook.runs import find_run

    relaunch_with_malloc_settings()
    found = find_run(run)
    with reporting(quiet=quiet) as reporter:
        result = score(
            found,
            num_samples=samples,
            say=reporter.message,
            temperature=temperature,
            top_p=top_p,
            repetition_penalty=1.0,
            max_tokens=max_tokens,
            seed=seed,
        )
    if as_json:
        print_json({"run": found.name, **dataclasses.asdict(result)})
        return
    _show(found.name, result)


def _show(name: str, result: TextScore) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("", name, "people"):
        table.add_column(heading, justify="right" if heading else "left")
    for label, written, human in _rows(result):
        table.add_row(label, written, human)
    console.print(table)
    console.print(
        f"{result.written.num_texts} texts of {result.written.num_words:,} words, and as much of held-out texts. "
        f"A copy is a run of words that the training texts have too; people quote and repeat names as well. "
        f"A judge that tells half of them apart is only guessing."
    )


def _rows(result: TextScore) -> list[tuple[str, str, str]]:
    def share(value: float | None) -> str:
        return "–" if value is None else f"{value:.1%}"

    labels: dict[str, Any] = {
        "repeated": "runs of 4 words that were there before",
        "distinct_1": "different words",
        "distinct_2": "different pairs of words",
        "distinct_3": "different runs of 3 words",
        "novel": "runs of 5 words not in the training texts",
        "unknown_words": "words not in the training texts",
    }
    rows = [
        (label, share(getattr(result.written, field)), share(getattr(result.human, field)))
        for field, label in labels.items()
    ]
    rows.append(("longest copy, in words", str(result.written.longest_copy), str(result.human.longest_copy)))
    rows.append(("told from people's by a judge", share(result.written.told_apart), "–"))
    rows.append(("true order of sentences found likelier", share(result.true_order), "–"))
    return rows
