"""A Keras model of which nothing is known but itself: what it takes, what it tells apart, how a step is taken."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from openbook.errors import ModelError, UsageError
from openbook.page.inputs.arrays import ArrayInput, ArrayReader
from openbook.page.inputs.images import ImageReader
from openbook.page.inputs.reading import InputReader, Json, ReadInput
from openbook.page.inputs.targets import TargetReader
from openbook.page.subject import Example, Subject, Training
from openbook.pictures.preprocess import Target


class RowsReader(InputReader, Protocol):
    """Reads what a person gives, and arrays as they are."""

    def read_arrays(self, arrays: Sequence[np.ndarray]) -> ReadInput:
        """Arrays with a batch axis of 1, in the order of the inputs."""


# From the model's inputs, and how targets are read (None where no step can be taken).
MakeReader = Callable[[Sequence[ArrayInput], TargetReader | None], RowsReader]

_MAX_EXAMPLES = 50
_NOTHING_KNOWN: Json = {"target": None, "answer": None, "is_mistake": False, "score": None}


def bare_model(
    model: Any,
    inputs: Any,
    *,
    title: str,
    kind: str,
    pictures: Mapping[str, str] | None = None,
    classes: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    picture_settings: Mapping[str, str] | None = None,
    training: Callable[[], Training] | None = None,
    shown: Sequence[Json] = (),
    typed: MakeReader | None = None,
) -> Subject:
    """A model to look at.

    Args:
        inputs: a batch of examples as for `openbook.trace`; None for none.
        pictures: examples as data addresses, by name; only for a model of pictures.
        classes, columns, picture_settings, training: what is known besides of a run's model; guessed when None.
        shown: what the examples are and what the model made of them, as `Subject.examples` shows it.
        typed: makes the reader of what a person types, where more is known than the shapes of the inputs.
    Raises:
        ModelError: it does not say what it takes and no inputs are given, or these do not fit.
    """
    arrays = None if inputs is None else _batches(model, inputs)
    specs = _input_specs(model, arrays)
    if columns is not None and len(specs) == 1:
        specs = [dataclasses.replace(specs[0], columns=columns)]
    if training is None:
        classes = _classes(model, specs)
        target_reader = _target_reader(model, classes)
    else:
        target_reader = _run_target_reader(model, classes)
    reader: ImageReader | RowsReader
    shape = specs[0].shape
    is_image = len(specs) == 1 and len(shape) == 3 and shape[-1] in (1, 3) and None not in shape
    if typed is not None:
        reader = typed(specs, target_reader)
    elif is_image:
        height, width, channels = (int(size or 0) for size in shape)
        target = Target(height=height, width=width, channels=channels)
        reader = ImageReader(
            target=target,
            settings={"range": _range(model), **(picture_settings or {})},
            classes=classes,
            target_reader=target_reader,
        )
    else:
        reader = ArrayReader(inputs=specs, target_reader=target_reader)
    return Subject(
        title=title,
        kind=kind,
        model=model,
        reader=reader,
        classes=classes,
        examples=[*_pictures(reader, pictures or {}, title), *_examples(reader, arrays, shown)],
        training=_training_of(model, target_reader, training),
    )


def _batches(model: Any, inputs: Any) -> list[np.ndarray]:
    """The inputs' arrays in the order of the model's inputs, each with a batch axis."""
    import jax

    from openbook.program.inputs import checked_inputs

    arrays = checked_inputs(model, inputs)
    if isinstance(arrays, dict) and getattr(model, "inputs", None):
        return [np.asarray(arrays[tensor.name]) for tensor in model.inputs]
    return [np.asarray(array) for array in jax.tree.leaves(arrays)]


def _input_specs(model: Any, arrays: Sequence[np.ndarray] | None) -> list[ArrayInput]:
    tensors = getattr(model, "inputs", None)
    if not tensors and arrays is None:
        raise ModelError(
            f"{model.name} does not say the shapes of its inputs. Give an example: openbook.look(model, inputs)"
        )
    if not tensors:
        assert arrays is not None
        names = ["input"] if len(arrays) == 1 else [f"input_{number + 1}" for number in range(len(arrays))]
        return [
            ArrayInput(name=name, shape=array.shape[1:], dtype=str(array.dtype), example=array[0])
            for name, array in zip(names, arrays, strict=True)
        ]
    return [
        ArrayInput(
            name=tensor.name,
            shape=tuple(tensor.shape[1:]),
            dtype=str(tensor.dtype),
            example=None if arrays is None else arrays[number][0],
        )
        for number, tensor in enumerate(tensors)
    ]


def _examples(
    reader: ImageReader | RowsReader, arrays: Sequence[np.ndarray] | None, known: Sequence[Json]
) -> list[Example]:
    """Each row of the inputs that were given."""
    examples = []
    for row in range(min(len(arrays[0]), _MAX_EXAMPLES) if arrays else 0):
        assert arrays is not None
        read: ReadInput
        shown: Json = {"text": f"example {row + 1}", **_NOTHING_KNOWN}
        if row < len(known):
            shown |= known[row]
        if isinstance(reader, ImageReader):
            read = reader.read_array(arrays[0][row])
            shown["picture"] = read.preview["steps"][0]["picture"]
        else:
            read = reader.read_arrays([array[row : row + 1] for array in arrays])
        examples.append(Example(id=f"example-{row + 1}", shown=shown, read=read))
    return examples


def _pictures(reader: ImageReader | RowsReader, pictures: Mapping[str, str], title: str) -> Iterator[Example]:
    if pictures and not isinstance(reader, ImageReader):
        raise UsageError(f"{title} takes no pictures but numbers: a .npy, .npz or .json file")
    for name, address in pictures.items():
        shown = {"text": name, "picture": address, **_NOTHING_KNOWN}
        yield Example(
            id=f"picture-{name}", shown=shown, given={"kind": "image", "picture": address, "settings": {}}
        )


def _output_shapes(model: Any) -> list[tuple[int | None, ...]]:
    return [tuple(tensor.shape[1:]) for tensor in getattr(model, "outputs", None) or ()]


def _classes(model: Any, specs: Sequence[ArrayInput]) -> list[str] | None:
    """Numbers as names, where the model tells classes apart."""
    shapes = _output_shapes(model)
    if len(shapes) != 1 or len(shapes[0]) != 1 or not shapes[0][0] or shapes[0][0] < 2:
        return None
    is_image = len(specs) == 1 and len(specs[0].shape) == 3
    tells_classes = _ends_with_softmax(model) or "categorical" in _loss_name(model)
    if not tells_classes and (not is_image or _loss_name(model)):
        return None
    return [str(number) for number in range(shapes[0][0])]


def _ends_with_softmax(model: Any) -> bool:
    layers = getattr(model, "layers", None)
    if not layers:
        return False
    activation = getattr(layers[-1], "activation", None)
    return getattr(activation, "__name__", "") == "softmax" or type(layers[-1]).__name__ == "Softmax"


def _loss_name(model: Any) -> str:
    """The compiled loss in Keras' short form; "" where there is none."""
    loss = getattr(model, "loss", None) if getattr(model, "compiled", False) else None
    if loss is None:
        return ""
    if isinstance(loss, str):
        return loss.lower()
    name: str = str(getattr(loss, "name", None) or getattr(loss, "__name__", None) or "loss")
    return name.lower()


def _target_reader(model: Any, classes: Sequence[str] | None) -> TargetReader | None:
    loss, shapes = _loss_name(model), _output_shapes(model)
    if not shapes or not (loss or classes):
        return None
    if "sparse" in loss or (classes and not loss):
        form = "class"
    elif "categorical" in loss and classes:
        form = "one_hot"
    else:
        form = "values"
    # A Sequential has one output, and no name for it.
    names = list(getattr(model, "output_names", ["output"]))
    return TargetReader(form=form, classes=classes, output_names=names, output_shapes=shapes)


def _run_target_reader(model: Any, classes: Sequence[str] | None) -> TargetReader:
    return TargetReader(
        form="values" if classes is None else "class",
        classes=classes,
        output_names=list(getattr(model, "output_names", ["output"])),
        output_shapes=_output_shapes(model),
    )


def _training_of(
    model: Any, target_reader: TargetReader | None, known: Callable[[], Training] | None
) -> Callable[[], Training] | None:
    if target_reader is None:
        return None
    return functools.cache(known or functools.partial(_training, model))


def _training(model: Any) -> Training:
    """The compiled loss and optimizer; where there are none, those that a textbook would begin with."""
    import keras

    if _loss_name(model):
        return Training()
    is_softmax = _ends_with_softmax(model)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=not is_softmax)
    return Training(
        loss=loss,
        optimizer=keras.optimizers.SGD(learning_rate=0.01),
        note="The model says nothing of its training: the step takes cross-entropy and plain gradient descent at "
        "a learning rate of 0.01.",
    )


def _range(model: Any) -> str:
    """0…255 for a model that scales pictures itself, else 0…1."""
    names = {type(layer).__name__ for layer in getattr(model, "layers", ())}
    return "0…255" if names & {"Rescaling", "Normalization"} else "0…1"
