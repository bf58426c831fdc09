"""`openbook export`: a trained model as a file for use without openbook."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from openbook.cli.output import JsonOption, print_json
from openbook.cli.subject import model_and_inputs
from openbook.cli.trace import InputOption
from openbook.errors import RunError


class Target(enum.StrEnum):
    """What a model can be exported to."""

    KERAS = "keras"
    NUMPY = "numpy"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    run: Annotated[str, typer.Argument(help="A run by name or path; `last` for the newest.")],
    to: Annotated[
        Target, typer.Option(help="keras: the model's file; numpy: a program that needs NumPy only.")
    ] = Target.KERAS,
    output: Annotated[
        Path | None, typer.Option(help="Where to write; RUN.keras or RUN.py when left out.")
    ] = None,
    input_given: InputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run's model to a file of its own."""
    from openbook.runs import find_run
    from openbook.runs.atomic import atomic_write

    if to is Target.NUMPY:
        _export_numpy(run, input_given, output, as_json=as_json)
        return
    found = find_run(run)
    if not found.model_path.exists():
        raise RunError(
            f"{found.name} has no model yet. Go on training it with: openbook train --resume {found.name}"
        )
    found.verify()
    path = output or Path(f"{found.name}.{to.value}")
    atomic_write(path, found.model_path.read_bytes())
    if as_json:
        print_json({"run": str(found.path), "to": to.value, "path": str(path.resolve())})
    else:
        print(f"wrote {path}; load it with keras.saving.load_model after `import openbook.layers`")


def _export_numpy(thing: str, given: str | None, output: Path | None, *, as_json: bool) -> None:
    import openbook

    model, inputs = model_and_inputs(thing, given)
    path = output or Path(f"{Path(thing).stem}.py")
    openbook.to_numpy(model, inputs, path=path)
    weights = path.with_suffix(".npz")
    if as_json:
        print_json(
            {"run": thing, "to": "numpy", "path": str(path.resolve()), "weights": str(weights.resolve())}
        )
    else:
        print(f"wrote {path} and its weights {weights}; run it with: python {path}")
