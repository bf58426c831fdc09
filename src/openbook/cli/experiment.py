"""`openbook experiment NAME`: a classic experiment with a handful of small nets, in less than a minute."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbook.cli.output import JsonOption, QuietOption, print_json
from openbook.cli.train import reporting

if TYPE_CHECKING:
    from openbook.experiments.experiment import Outcome


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(experiment)


def experiment(
    name: Annotated[str | None, typer.Argument(help="Which one; left out, they are listed.")] = None,
    data: Annotated[
        str, typer.Option(help="Small pictures with classes, as for the recipe digits.")
    ] = "mnist-5k",
    seed: Annotated[int, typer.Option(help="Same seed, same machine, same result.")] = 0,
    epochs: Annotated[
        int | None, typer.Option(min=2, help="Times through the data; the experiment's own when left out.")
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File for the curves; experiment-NAME.png when left out."),
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a few small nets that differ in one thing, and see what it does (chapter 5).

    Example: openbook experiment shuffled-labels
    """
    from openbook.experiments import experiment_named

    if name is None:
        _list(as_json=as_json)
        return
    chosen = experiment_named(name)
    target = Path(f"experiment-{name}.png") if picture is None else picture
    from openbook.experiments.picture import check_picture_path, draw_outcomes
    from openbook.experiments.training import outcome_rows, run_experiment
    from openbook.recipes import make_recipe
    from openbook.recipes.backend import prepare_backend
    from openbook.recipes.supervised import SupervisedRecipe

    check_picture_path(target)
    with reporting(quiet=quiet) as reporter:
        reporter.message(f"{chosen.title}: {chosen.question}")
        recipe = make_recipe("digits", {"data": data, "seed": seed})
        found = recipe.load_data(reporter)
        prepare_backend()
        assert isinstance(recipe, SupervisedRecipe)
        splits = recipe.split(found)
        outcomes = run_experiment(chosen, splits, seed=seed, num_epochs=epochs, say=reporter.message)
    sentence = chosen.see(outcomes)
    draw_outcomes(chosen, outcomes, sentence, target)
    if as_json:
        print_json(
            {
                "experiment": name,
                "question": chosen.question,
                "data": data,
                "seed": seed,
                "sentence": sentence,
                "picture": str(target.resolve()),
                "nets": outcome_rows(outcomes),
            }
        )
        return
    _show(outcomes)
    print(f"\n{sentence}\nThe curves: {target}")


def _list(*, as_json: bool) -> None:
    from openbook.experiments import all_experiments

    known = all_experiments()
    if as_json:
        print_json({"experiments": {name: each.question for name, each in known.items()}})
        return
    for name, each in known.items():
        print(f"{name:16} {each.question}")


def _show(outcomes: list[Outcome]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("net", "weights", "seen", "new", "loss", "new", "best"):
        table.add_column(heading, justify="left" if heading == "net" else "right", no_wrap=True)
    for outcome in outcomes:
        last = outcome.last
        table.add_row(
            outcome.label,
            f"{outcome.num_parameters:,}",
            f"{last.train_accuracy:.1%}",
            f"{last.held_out_accuracy:.1%}",
            f"{last.train_loss:.4f}",
            f"{last.held_out_loss:.4f}",
            str(outcome.best.epoch),
        )
    console = Console(highlight=False)
    console.print(table)
    console.print(
        "seen, new: right answers and loss on training and held-out examples; best: epoch of the lowest held-out "
        "loss"
    )
