"""The programs of one model, each compiled once: forward, training and step, for each length of input."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.page.inputs.reading import Json, ReadInput
from openbook.page.story import story_from_outline, with_own_names
from openbook.page.subject import Subject, Weights
from openbook.page.token_axes import aligned_axes
from openbook.program.model import forward_program, step_program
from openbook.program.outline import outline
from openbook.program.program import Program
from openbook.program.reading import Reading
from openbook.program.trace import Trace

MODES = ("forward", "training", "step")
# Called with (stage, message) as the work goes on; raises `Cancelled` when nobody waits for it any more.
Report = Callable[[str, str], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compiled:
    """A program that has run once.

    Attributes:
        trace: of that run, without its values; other inputs and weights go through `trace.again`.
        input_names, target_names: in the order of the arrays' leaves.
        weight_names: of trainable and other variables, as Keras lists them.
        token_axes: by value id the axes that grow with the number of tokens.
    """

    trace: Trace
    input_names: tuple[str, ...]
    target_names: tuple[str, ...]
    weight_names: tuple[str, ...]
    token_axes: Mapping[int, tuple[int, ...]]

    @functools.cached_property
    def outline(self) -> Json:
        """The program as a tree, with shapes as they were compiled; the same for all inputs."""
        return self.trace.outline().to_dict()


class Programs:
    """Makes traces of one subject; threads that need the same program wait for one compilation."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._prepared: dict[Any, _Prepared] = {}
        self._compiled: dict[Any, Compiled] = {}
        self._locks: dict[Any, threading.Lock] = {}
        # Keras models are read by one thread at a time.
        self._reading = threading.Lock()

    def run(
        self,
        read: ReadInput,
        report: Report,
        *,
        mode: str = "forward",
        targets: Any = None,
        weights: Weights | None = None,
        edits: Sequence[Mapping[str, Any]] = (),
    ) -> tuple[Trace, Compiled]:
        """Run a model and keep every value.

        Args:
            targets: for mode "step".
            weights: instead of the model's own.
            edits: elements of inputs or weights to replace, each `{name, index, value}`.
        Raises:
            UsageError, ModelError: the input or an edit does not fit.
        """
        compiled = self._compiled_for(mode, read, targets, report)
        changes = dict(zip(compiled.input_names, _leaves(read.arrays), strict=True))
        changes |= zip(compiled.target_names, _leaves(targets), strict=True)
        if weights is not None:
            values = [*weights.trainable, *weights.non_trainable]
            changes |= zip(compiled.weight_names, values, strict=True)
        for edit in edits:
            name = edit["name"]
            if name not in compiled.trace.roles.inputs:
                raise UsageError(f"{name!r} is no input and no weight, so it cannot be edited")
            changes[name] = _edited(changes.get(name, compiled.trace[name]), edit)
        report("running", "Running the model …")
        return compiled.trace.again(changes), compiled

    def _compiled_for(self, mode: str, read: ReadInput, targets: Any, report: Report) -> Compiled:
        key = _key(mode, read, targets)
        with self._locks.setdefault(key, threading.Lock()):
            if key not in self._compiled:
                self._compiled[key] = self._compile(mode, read, targets, report)
            return self._compiled[key]

    def warm_up(self) -> None:
        """Compile the forward pass for the reader's example, so that the first input need not wait for it."""
        self._compiled_for("forward", self._subject.reader.example(), None, lambda stage, message: None)

    def story(self) -> Json:
        """The subject's own story, else one made from the outline; nothing is compiled."""
        read = self._subject.reader.example()
        reading = self._prepared_for("forward", read, None, lambda stage, message: None).reading
        if self._subject.story is not None:
            return with_own_names(self._subject.story, reading)
        tree = outline(reading.program, reading.names)
        input_name = reading.roles.inputs[-len(_leaves(read.arrays))]
        return story_from_outline(tree, input_name=input_name, output_name=_output_name(reading))

    def _compile(self, mode: str, read: ReadInput, targets: Any, report: Report) -> Compiled:
        prepared = self._prepared_for(mode, read, targets, report)
        report("compiling", "Compiling the model, once; the next input is quick …")
        Trace(prepared.reading, prepared.arrays)
        trace = Trace(prepared.reading, prepared.arrays, captured={})
        model = self._subject.model
        num_inputs, num_targets = len(_leaves(read.arrays)), len(_leaves(targets))
        names = prepared.reading.roles.inputs
        return Compiled(
            trace=trace,
            input_names=names[len(names) - num_inputs - num_targets : len(names) - num_targets],
            target_names=names[len(names) - num_targets :],
            weight_names=names[: len(model.trainable_variables) + len(model.non_trainable_variables)],
            token_axes=prepared.token_axes,
        )

    def _prepared_for(self, mode: str, read: ReadInput, targets: Any, report: Report) -> _Prepared:
        key = _key(mode, read, targets)
        with self._reading:
            if key not in self._prepared:
                report("reading", "Reading the model as a program …")
                program, roles, arrays = self._program(mode, read.arrays, targets)
                token_axes: Mapping[int, tuple[int, ...]] = {}
                if read.token_ids is not None and read.length is None:
                    longer = [_longer(each) if each is not None else None for each in (read.arrays, targets)]
                    token_axes = _growing_axes(program, self._program(mode, *longer)[0])
                report("naming", "Giving every value its name …")
                reading = Reading(program, roles)
                if read.length is not None:
                    num_targets = len(_leaves(targets))
                    ids = program.inputs[: len(program.inputs) - num_targets][-len(_leaves(read.arrays)) :]
                    token_axes = aligned_axes(program, ids, read.length, reading.names)
                self._prepared[key] = _Prepared(reading=reading, arrays=arrays, token_axes=token_axes)
            return self._prepared[key]

    def _program(self, mode: str, arrays: Any, targets: Any) -> tuple[Program, Any, list[Any]]:
        model = self._subject.model
        if mode != "step":
            return forward_program(model, arrays, training=mode == "training")
        assert self._subject.training is not None, "checked before a step is asked for"
        training = self._subject.training()
        return step_program(model, arrays, targets, loss=training.loss, optimizer=training.optimizer)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Prepared:
    """A program that was read and named, not compiled."""

    reading: Reading
    arrays: Sequence[Any]
    token_axes: Mapping[int, tuple[int, ...]]


def _output_name(reading: Reading) -> str:
    [*outputs] = (value_id for value_id in reading.program.outputs if value_id in reading.names)
    return reading.names[outputs[0]] if outputs else ""


def _key(mode: str, read: ReadInput, targets: Any) -> tuple[Any, ...]:
    return mode, tuple(np.shape(array) for array in (*_leaves(read.arrays), *_leaves(targets)))


def _leaves(arrays: Any) -> list[Any]:
    import jax

    return list(jax.tree.leaves(arrays))


def _edited(array: Any, edit: Mapping[str, Any]) -> np.ndarray:
    changed = np.array(array)
    index = tuple(edit["index"])
    is_inside = len(index) == changed.ndim and all(
        0 <= position < size for position, size in zip(index, changed.shape, strict=True)
    )
    if not is_inside:
        raise UsageError(f"{edit['name']} has shape {changed.shape}; there is no element {index}")
    try:
        with np.errstate(over="ignore"):  # too large a number becomes infinite, and is shown as such
            changed[index] = edit["value"]
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{edit['value']!r} is no value for {edit['name']} ({changed.dtype})") from error
    return changed


def _longer(arrays: Any) -> Any:
    """The same with one more position on the axis of tokens."""
    import jax

    return jax.tree.map(lambda array: np.concatenate([array, array[:, -1:]], axis=1), arrays)


def _growing_axes(program: Program, longer: Program) -> dict[int, tuple[int, ...]]:
    """Axes, loop times first, that are longer in the same program for a longer input.

    Nothing where the program itself is another one at another length.
    """
    steps, longer_steps = list(program.all_steps()), list(longer.all_steps())
    if [step.primitive for step in steps] != [step.primitive for step in longer_steps]:
        return {}
    growing_loops = {
        step.id
        for step, other in zip(steps, longer_steps, strict=True)
        if step.primitive == "scan" and step.params["length"] != other.params["length"]
    }
    growing = {}
    for value_id, value in program.values.items():
        other = longer.values[value_id]
        sizes = zip(value.shape, other.shape, strict=True)
        axes = (
            *(number for number, loop in enumerate(value.loops) if loop in growing_loops),
            *(len(value.loops) + number for number, (one, two) in enumerate(sizes) if one != two),
        )
        if axes:
            growing[value_id] = axes
    return growing
