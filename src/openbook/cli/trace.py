"""`openbook trace` and `openbook explain`: every value of a model, and where one number comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openbook.cli.output import JsonOption, print_json
from openbook.cli.subject import model_and_inputs, parse_index

if TYPE_CHECKING:
    from openbook.program.explain import Explanation
    from openbook.program.trace import Trace

ThingArgument = Annotated[str, typer.Argument(metavar="RUN-OR-FILE", help="A run, or a .keras file.")]
InputOption = Annotated[
    str | None,
    typer.Option(
        "--input",
        help="What to run the model on: for a run what its recipe takes, such as a text; or a .npy, .npz or .json "
        "file, or numbers such as '[[1, 2]]'.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(trace)
    app.command()(explain)


def trace(
    thing: ThingArgument,
    input_given: InputOption = None,
    depth: Annotated[int, typer.Option(help="Levels of the outline to print.")] = 3,
    check: Annotated[bool, typer.Option("--check", help="Compute every value in NumPy and compare.")] = False,
    save: Annotated[Path | None, typer.Option(help="Write all values to this .npz file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a model and list every value in it, by its textbook name.

    Example: openbook trace last --input "This movie was" --check
    """
    import openbook

    model, inputs = model_and_inputs(thing, input_given)
    traced = openbook.trace(model, inputs)
    checked = traced.check() if check else None
    if save is not None:
        _save(traced, save)
    if as_json:
        content: dict[str, Any] = {
            "values": [
                {"name": name, "shape": list(traced[name].shape), "dtype": str(traced[name].dtype)}
                for name in traced.names()
            ]
        }
        if checked is not None:
            content["check"] = {
                "largest": checked.largest,
                "name": checked.name,
                "num_values": checked.num_values,
                "unchecked": list(checked.unchecked),
            }
        print_json(content)
        return
    print(traced.outline().text(depth=depth))
    print(f"\n{len(traced.names()):,} values. One number: openbook explain {thing} NAME INDEX")
    if checked is not None:
        print(checked)
    if save is not None:
        print(f"wrote {save}")


def explain(
    thing: ThingArgument,
    name: Annotated[str, typer.Argument(help="Name of a value; `openbook trace` lists them.")],
    index: Annotated[str, typer.Argument(help="Which element, such as 0,1,3.")],
    input_given: InputOption = None,
    depth: Annotated[int, typer.Option(help="How many steps to walk back along the largest terms.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Say where one number of a model comes from.

    Example: openbook explain last block_1/attention/weights 0,0,2,1 --input "This movie was" --depth 3
    """
    import openbook

    model, inputs = model_and_inputs(thing, input_given)
    explanation = openbook.trace(model, inputs).explain(name, parse_index(index))
    walk = [explanation]
    while len(walk) < depth and walk[-1].terms:
        walk.append(walk[-1].terms[0].operands[0].explain())
    if as_json:
        print_json({"walk": [_as_json(each) for each in walk], **_as_json(explanation)})
    else:
        print("\n".join(map(str, walk)))


def _as_json(explanation: Explanation) -> dict[str, Any]:
    def number(value: Any) -> Any:
        return value.item() if hasattr(value, "item") else value

    return {
        "name": explanation.name,
        "index": list(explanation.index),
        "value": number(explanation.value),
        "evaluated": number(explanation.evaluate()),
        "kind": explanation.kind,
        "textbook": explanation.textbook,
        "formula": explanation.formula,
        "terms": [
            {
                "contribution": term.contribution,
                "operands": [
                    {"name": each.name, "index": list(each.index), "value": number(each.value)}
                    for each in term.operands
                ],
            }
            for term in explanation.terms
        ],
        "remainder": explanation.remainder,
        "num_terms": explanation.num_terms,
    }


def _save(traced: Trace, path: Path) -> None:
    import io

    import numpy as np

    from openbook.runs.atomic import atomic_write

    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name.replace("/", "."): traced[name] for name in traced.names()}
    np.savez_compressed(buffer, **arrays)
    atomic_write(path, buffer.getvalue())
