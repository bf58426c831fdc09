"""What the page shows: a model with all that is known about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from openbook.page.inputs.reading import InputReader, Json, ReadInput

if TYPE_CHECKING:
    from openbook.page.lens_views import LensSource
    from openbook.runs import Run


@dataclasses.dataclass(frozen=True, kw_only=True)
class Weights:
    """Values of a model's variables, in the order in which Keras lists them.

    Attributes:
        label: what they are, for a person, such as "step 150".
    """

    label: str
    trainable: Sequence[Any]
    non_trainable: Sequence[Any] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Saved weights besides the model's own; read when they are asked for."""

    id: str
    label: str
    step: int
    load: Callable[[], Weights]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training:
    """How one training step of the model is taken.

    Attributes:
        loss: (targets, outputs) → scalar, or a Keras loss; None for the compiled one.
        optimizer: a Keras optimizer; None for the compiled one.
        note: what a person must know about them, or "".
    """

    loss: Any = None
    optimizer: Any = None
    note: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DrawSettings:
    """How the next token is drawn."""

    temperature: float
    top_k: int
    top_p: float
    seed: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class DrawProgram:
    """The drawing of a token as a function that JAX can trace.

    Attributes:
        function: of the arrays, in the order of `arrays`; gives the token's id.
        arrays: by name.
    """

    function: Callable[..., Any]
    arrays: Mapping[str, Any]


# (logits of one position, ids of the text so far, settings) → the program that draws.
Draw = Callable[[Any, Sequence[int], DrawSettings], DrawProgram]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example:
    """An example: of a run a held-out one, of a bare model one that was given with it.

    Attributes:
        given: the `ModelInput` that it stands for; None where `arrays` holds it.
        shown: the fields of `Example` in docs/page-protocol.md, without the id.
    """

    id: str
    shown: Json
    given: Json | None = None
    read: ReadInput | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A model that is looked at.

    Attributes:
        title: the run's, the file's or the model's name.
        kind: "run", "file" or "model".
        reader: reads what a person gives it.
        classes: names of the classes that it tells apart; None where it does not, or for tokens.
        story: stages as in docs/page-protocol.md; made from the outline when None.
        checkpoints: what there is now; a run in training gets more.
        current: the newest weights of a run in training; None where the model's own are right.
        training: read when a step is first asked for; None where no loss is known.
        draw: None for models that write no text.
        lens_source: what the lenses need to know of the model; None for no lenses.
    """

    title: str
    kind: str
    model: Any
    reader: InputReader
    recipe: str | None = None
    classes: Sequence[str] | None = None
    story: Json | None = None
    run: Run | None = None
    examples: Sequence[Example] = ()
    checkpoints: Callable[[], Sequence[Checkpoint]] = tuple
    current: Callable[[], Weights | None] | None = None
    training: Callable[[], Training] | None = None
    draw: Draw | None = None
    lens_source: LensSource | None = None
