"""`openbook lens`: a picture file, a text and numbers of what is inside a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openbook.cli.output import JsonOption, QuietOption, print_json
from openbook.cli.train import reporting
from openbook.errors import UsageError

if TYPE_CHECKING:
    from openbook.lensing import LensSubject


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(lens)


def lens(
    thing: Annotated[str, typer.Argument(metavar="RUN-OR-FILE", help="A run, or a .keras file.")],
    name: Annotated[
        str | None, typer.Argument(help="Which lens; left out, those that fit the model are listed.")
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT",
            help="What to look at: a picture, a .npy or .npz file, or the number of one of the examples that the "
            "run has kept; its first one when left out. A word for embedding-neighbours, more runs for "
            "learning-curves.",
        ),
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Path of a layer; chosen when left out.")] = None,
    class_name: Annotated[
        str | None, typer.Option("--class", help="Name or number of a class; the answer when left out.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same machine, same picture.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The picture (.png, .svg, .pdf); lens-NAME.png when left out."),
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look into a model: what its filters see, where an answer comes from, which columns count.

    Examples:
    openbook lens last;
    openbook lens last grad-cam photo.jpg --class cat;
    openbook lens model.keras activations photo.jpg --layer backbone/convolution_1;
    openbook lens last embedding-neighbours wonderful
    """
    from openbook.cli.lens_subject import check_has_model, question_of, subject_of
    from openbook.experiments.picture import check_picture_path
    from openbook.lenses import lens_named
    from openbook.looking import prepare

    chosen = None if name is None else lens_named(name)
    target = output or Path(f"lens-{name}.png")
    check_picture_path(target)
    prepare()
    subject = subject_of(thing)
    if chosen is None:
        _list(subject, as_json=as_json)
        return
    check_has_model(subject, chosen)
    reason = subject.why_not(chosen)
    if reason is not None:
        raise UsageError(
            f"the lens {chosen.name} does not fit {subject.name}: {reason}. "
            f"`openbook lens {thing}` lists those that do"
        )
    with reporting(quiet=quiet or as_json) as reporter:
        question = question_of(
            subject,
            chosen,
            given or [],
            layer=layer,
            class_name=class_name,
            seed=seed,
            say=reporter.message,
        )
        found = chosen.read(question)
    chosen.draw(found, target)
    if as_json:
        content = {
            "lens": chosen.name,
            "of": subject.name,
            "picture": str(target.resolve()),
            **found.to_dict(),
        }
        print_json({**content, "text": found.text(), "source": chosen.source})
        return
    print(f"{found.text()}\n\nThe picture: {target}  (after {chosen.source})")


def _list(subject: LensSubject, *, as_json: bool) -> None:
    from openbook.lenses import all_lenses

    reasons = {name: subject.why_not(each) for name, each in all_lenses().items()}
    if as_json:
        print_json(
            {
                "of": subject.name,
                "lenses": {
                    name: {
                        "title": each.title,
                        "says": each.says,
                        "fits": reasons[name] is None,
                        "why": reasons[name],
                    }
                    for name, each in all_lenses().items()
                },
            }
        )
        return
    print(f"Lenses that fit {subject.name}:")
    for name, each in all_lenses().items():
        if reasons[name] is None:
            print(f"  {name:22} {each.says}")
    for name, reason in reasons.items():
        if reason is not None:
            print(f"Not {name}: {reason}")
