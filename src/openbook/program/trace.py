"""A run of a program with every value at hand: by name, with its outline, its explanation and its check."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import UsageError
from openbook.program.capture import DERIVED, body_value_ids
from openbook.program.check import Check, check_steps
from openbook.program.explain import Explanation, Subject, explanation_of, leaf, loop_result, place_text
from openbook.program.numpy_run import compute_step, run_numpy, shapes_of, taken_branch
from openbook.program.origin import Origin, began_at, same_element
from openbook.program.padding import RealSizes, without_padding
from openbook.program.primitives.table import Element, Index, primitives
from openbook.program.program import Program, Step, is_key_type
from openbook.program.reading import Reading

if TYPE_CHECKING:
    from openbook.program.cost import ProgramCost
    from openbook.program.outline import Outline
    from openbook.program.roles import Roles


class Trace:
    """One run of a program: every value real, by textbook name.

    `trace["block_1/attention/weights"]` is a NumPy array; values inside a loop have the time as first axis.
    """

    def __init__(
        self, reading: Reading, inputs: Sequence[Any], captured: Mapping[int, Any] | None = None
    ) -> None:
        # What of the values is not padding, for explanations; all of it where nothing is said.
        self.real_sizes: RealSizes = {}
        self._reading = reading
        self._inputs = tuple(inputs)
        if captured is None:
            captured = reading.capture(self._inputs)
        self._arrays: dict[int, np.ndarray] = {key: np.asarray(array) for key, array in captured.items()}
        self._arrays.update(
            {
                value_id: np.asarray(array)
                for value_id, array in zip(reading.program.inputs, self._inputs, strict=True)
                if not _is_key(array)
            }
        )

    @property
    def program(self) -> Program:
        """The steps behind the values."""
        return self._reading.program

    @property
    def roles(self) -> Roles:
        """What the program's inputs, weights and outputs are called."""
        return self._reading.roles

    @property
    def size_bytes(self) -> int:
        """Of the values that this run computed and keeps; inputs and weights are shared between runs."""
        shared = {*self.program.inputs, *self._reading.constants}
        return sum(array.nbytes for key, array in self._arrays.items() if key not in shared)

    def name_of(self, value_id: int) -> str | None:
        """The name of a value, or None for constants and arguments of loops."""
        return self._reading.names.get(value_id)

    def id_of(self, name: str) -> int:
        """The id of a value by name.

        Raises:
            UsageError: there is none of this name; the message suggests near ones.
        """
        return self._id(name)

    def axis_names(self, name: str) -> tuple[str, ...]:
        """What the axes of a value stand for; an empty tuple where that is not known."""
        return self._reading.names.axes.get(self._id(name), ())

    def shape_of(self, value_id: int) -> tuple[int, ...]:
        """The shape of a value, loop times first, without computing it."""
        value = self.program.values[value_id]
        if is_key_type(value.dtype):
            return tuple(self.array(value_id).shape)
        times = (self._reading.loop_lengths[step_id] for step_id in value.loops)
        return (*times, *value.shape)

    def names(self) -> list[str]:
        """Names of all values, in the order of computation; none of a branch that was not taken."""
        return list(self._present.values())

    def __contains__(self, name: object) -> bool:
        return name in self._reading.ids

    def __getitem__(self, name: str) -> np.ndarray:
        """A value by name.

        Raises:
            UsageError: there is none of this name; the message suggests near ones.
        """
        return self.array(self._id(name))

    def array(self, value_id: int) -> np.ndarray:
        """A value by id; computed again where it was not kept."""
        if value_id not in self._arrays:
            self._arrays[value_id] = self._make(value_id)
        return self._arrays[value_id]

    def outline(self) -> Outline:
        """Blocks, layers, operations and steps as a tree, with shapes."""
        from openbook.program.outline import outline

        return outline(self.program, self._reading.names)

    def cost(self) -> ProgramCost:
        """Operations and bytes by step, layer and program, and the compiled program's peak memory."""
        from openbook.program.cost import compiled_cost_of

        return compiled_cost_of(self.program, self._inputs)

    def explain(self, name: str, index: Sequence[int] | int = ()) -> Explanation:
        """The arithmetic behind one number.

        Args:
            name: of a value.
            index: of the element; negative numbers count from the end.
        Raises:
            UsageError: no such name, or the index lies outside.
        """
        return self.explain_element(self._id(name), self._checked_index(name, index))

    def explain_element(self, value_id: int, index: Index) -> Explanation:
        """As `explain`, for any value of the program by its id."""
        value_id, name, index = self.named_element(value_id, index)
        value = self._element(value_id, index)
        source_id, source_index = self._computed_at(value_id, index)
        origin = self._reading.origins[source_id]
        if origin.step is not None and origin.step.primitive == "while":
            return self._explain_loop(name, index, value, origin, source_id, source_index)
        if origin.kind == "input":
            _, source_name, source_index = self.named_element(source_id, source_index)
            kind = "weight" if source_name in self._reading.roles.weights else "input"
            return leaf(
                name, index, value, kind=kind, text=f"{kind}: {place_text(source_name, source_index)}"
            )
        if origin.kind == "constant":
            return leaf(name, index, value, kind="constant", text="a constant of the program")
        return self._explain_step(name, index, value, origin, source_id, source_index)

    def check(self) -> Check:
        """Compute each step once more in NumPy from its captured operands, and compare the floating results."""
        return check_steps(self)

    def first_nonfinite(self) -> tuple[str, Index] | None:
        """Name and index of the first NaN or infinity that arises; None where none does.

        It arises in an input or a weight, in a step whose operands are all finite, or as a NaN where no operand
        is NaN, such as ∞ − ∞; a mask of −∞ that stands in the program as a constant is no fault.
        """
        for value_id, name in self._present.items():
            value = self.program.values[value_id]
            has_infinities = value.is_float or str(value.dtype).startswith("complex")
            if not has_infinities or _is_finite(self.array(value_id)):
                continue
            origin = self._reading.origins[value_id]
            bad = ~_finite(self.array(value_id))
            if origin.kind == "step" and origin.step is not None:
                operands = [self.array(each) for each in origin.step.inputs]
                if any(_is_nan(each).any() for each in operands):
                    continue
                if not all(map(_is_finite, operands)):
                    bad = _is_nan(self.array(value_id))
            if bad.any():
                return name, tuple(int(position) for position in np.argwhere(bad)[0])
        return None

    def again(self, changes: Mapping[str, Any]) -> Trace:
        """The same program with some inputs or weights replaced, by name; nothing is compiled anew.

        Raises:
            UsageError: no such input, or another shape.
        """
        inputs = list(self._inputs)
        positions = {name: position for position, name in enumerate(self._reading.roles.inputs)}
        for name, array in changes.items():
            if name not in positions:
                raise UsageError(f"{name!r} is no input and no weight. {_near(name, positions)}")
            old = inputs[positions[name]]
            try:
                new = np.asarray(array, dtype=old.dtype)
            except (TypeError, ValueError) as error:
                raise UsageError(f"{name} takes an array of {old.dtype}; got {array!r:.60}") from error
            if new.shape != tuple(old.shape):
                raise UsageError(f"{name} has shape {tuple(old.shape)}; the new one has {new.shape}")
            # Of the same kind as before, so that the compiled capture is used again.
            inputs[positions[name]] = new if isinstance(old, np.ndarray) else _on_device(new)
        return Trace(self._reading, inputs)

    def named_element(self, value_id: int, index: Index) -> tuple[int, str, Index]:
        """The value to show for an element of any value, its name and the element's index in it.

        Arguments of loops and branches are followed to what they carry.
        """
        names = self._reading.names
        for _ in range(_MAX_PASSES):
            place = None if value_id in names else self._same(value_id, index)
            if place is None:
                break
            value_id, index = place
        if value_id in self._reading.constants:
            constant = self._reading.constants[value_id]
            name = names.get(value_id) or self._reading.constant_names[value_id]
            return value_id, name, index[len(index) - constant.ndim :]
        return value_id, names.get(value_id, f"value {value_id}"), index

    def _explain_step(
        self, name: str, index: Index, value: Any, origin: Origin, value_id: int, value_index: Index
    ) -> Explanation:
        step = origin.step
        assert step is not None
        entry = primitives().get(step.primitive)
        if entry is None:
            text = f"computed by {step.primitive!r}, a primitive that openbook's table does not know yet"
            return leaf(name, index, value, kind="unknown", text=text)
        num_times = len(self.program.values[value_id].loops)
        times = value_index[:num_times]
        operands = tuple(self.operand(operand, times) for operand in step.inputs)
        element = Element(
            params=step.params,
            operands=operands,
            results=shapes_of(self.program, step.outputs),
            output=origin.position,
            index=value_index[num_times:],
        )
        subject = Subject(
            trace=self,
            name=name,
            index=index,
            value=value,
            operands=operands,
            operand_ids=step.inputs,
            times=times,
            path="/".join(step.scope.path),
            textbook=self._reading.textbook.get(value_id, ""),
        )
        with np.errstate(all="ignore"):
            reason = entry.explain(element)
            if self.real_sizes:
                reason = without_padding(
                    reason, operands, step.inputs, num_times=num_times, real_sizes=self.real_sizes
                )
            return explanation_of(subject, reason)

    def _explain_loop(
        self, name: str, index: Index, value: Any, origin: Origin, value_id: int, value_index: Index
    ) -> Explanation:
        """A result of a `while`, or what one of its rounds began with."""
        assert origin.step is not None
        first = began_at(origin)
        times = value_index[: len(self.program.values[value_id].loops)]
        subject = Subject(
            trace=self,
            name=name,
            index=(*times, *value_index[len(times) :]),
            value=value,
            operands=(self.operand(first, times),),
            operand_ids=(first,),
            times=times,
            path="/".join(origin.step.scope.path),
            textbook="",
        )
        return dataclasses.replace(loop_result(subject, 0, _LOOP_TEXT), index=index)

    def _element(self, value_id: int, index: Index) -> Any:
        """One element, also of a branch inside a loop that is not taken at all times."""
        num_times = len(self.program.values[value_id].loops)
        if num_times and self._is_inside_branch(value_id):
            return self.operand(value_id, index[:num_times])[index[num_times:]]
        return self.array(value_id)[index]

    def operand(self, value_id: int, times: Index) -> np.ndarray:
        """A step's operand at the times of its loops."""
        if value_id in self._reading.constants:
            return self._reading.constants[value_id]
        if times and self._is_inside_branch(value_id) and value_id not in self._arrays:
            return self._inside_branch(value_id, times)
        if not times or value_id in self._arrays or self._reading.origins[value_id].kind == "step":
            array = self.array(value_id)
            return np.asarray(array[times]) if times else array
        place = self._same(value_id, times, is_whole=True)
        assert place is not None, "an argument of a loop is carried from somewhere"
        return self.operand(*place)

    def _computed_at(self, value_id: int, index: Index) -> tuple[int, Index]:
        """The element that really computes this one, through loops and branches up to a `while`."""
        for _ in range(_MAX_PASSES):
            place = self._same(value_id, index)
            if place is None:
                break
            value_id, index = place
        return value_id, index

    def _same(self, value_id: int, index: Index, *, is_whole: bool = False) -> tuple[int, Index] | None:
        origin = self._reading.origins[value_id]
        if origin.kind not in ("step", "body") or origin.step is None:
            return None
        branch = None
        if origin.step.primitive == "cond":
            num_outer = len(self.program.values[value_id].loops)
            branch = taken_branch(origin.step, self.operand(origin.step.inputs[0], index[:num_outer]))
        return same_element(self.program, origin, index, branch)

    def _make(self, value_id: int) -> np.ndarray:
        """A value that was not captured: a view, a constant, a loop's argument, or the inside of a layer."""
        if value_id in self._reading.constants:
            return self._reading.constants[value_id]
        origin = self._reading.origins[value_id]
        step = origin.step
        if origin.kind == "input":
            return _as_words(self._inputs[origin.position])
        assert step is not None
        loops = self.program.values[value_id].loops
        if origin.kind == "step" and step.primitive in DERIVED:
            return self._over_times(
                loops,
                lambda times: compute_step(
                    step, [self.operand(each, times) for each in step.inputs], self.program
                )[origin.position],
            )
        if origin.kind == "body" and step.primitive == "scan":
            return self._over_times(loops, lambda times: self.operand(value_id, times))
        if self._is_inside_branch(value_id):
            self._run_branches()
        elif value_id not in self._arrays:
            part, capture = self._reading.region(step.scope.path)
            captured = capture([self._jax_input(each) for each in part.inputs])
            self._arrays.update({key: np.asarray(array) for key, array in captured.items()})
        if value_id not in self._arrays:
            raise UsageError(self._not_taken(value_id))
        return self._arrays[value_id]

    def _not_taken(self, value_id: int) -> str:
        name = self._reading.names.get(value_id, value_id)
        always = " at all times" if self.program.values[value_id].loops else ""
        return f"{name} lies in a branch that was not taken{always}, so it has no value in this run"

    def _inside_branch(self, value_id: int, times: Index) -> np.ndarray:
        """A value inside a branch that stands in a loop, at a time at which the branch is taken."""
        self._run_branches()
        for outer, array in self._branch_arrays.get(value_id, {}).items():
            if times[: len(outer)] == outer:
                return np.asarray(array[times[len(outer) :]])
        raise UsageError(self._not_taken(value_id))

    def _jax_input(self, value_id: int) -> Any:
        origin = self._reading.origins[value_id]
        return self._inputs[origin.position] if origin.kind == "input" else self.array(value_id)

    @functools.cached_property
    def _present(self) -> Mapping[int, str]:
        """Names of the values that this run has."""
        names = self._reading.names
        if not self._branch_values:
            return names
        self._run_branches()
        absent = self._branch_values - self._arrays.keys()
        return {value_id: name for value_id, name in names.items() if value_id not in absent}

    def _is_inside_branch(self, value_id: int) -> bool:
        return value_id in self._branch_values

    @functools.cached_property
    def _branch_values(self) -> frozenset[int]:
        found: set[int] = set()
        for step in _branching_steps(self.program):
            found |= _ids_within(step)
        return frozenset(found)

    def _run_branches(self) -> None:
        """Compute the insides of `while` and `cond` in NumPy; the compiled program does not hand them out."""
        found = self._branch_arrays
        self._arrays.update({key: by_time[()] for key, by_time in found.items() if () in by_time})
        for value_id, by_time in found.items():
            if value_id in self._arrays or not by_time:
                continue
            times = self.times_of(self.program.values[value_id].loops[: len(next(iter(by_time)))])
            if len(by_time) == len(times):
                lengths = tuple(size + 1 for size in times[-1])
                stacked = np.stack([by_time[each] for each in times])
                self._arrays[value_id] = stacked.reshape(*lengths, *stacked.shape[1:])

    @functools.cached_property
    def _branch_arrays(self) -> Mapping[int, Mapping[Index, np.ndarray]]:
        """Values inside `while` and `cond`, by id and by the times of the loops around these."""
        found: dict[int, dict[Index, np.ndarray]] = {}
        for step in _branching_steps(self.program):
            part = dataclasses.replace(self.program, steps=(step,), inputs=step.inputs, outputs=step.outputs)
            within = _ids_within(step)
            for times in self.times_of(self.program.values[step.outputs[0]].loops):
                inputs = [self.operand(each, times) for each in step.inputs]
                inside = run_numpy(part, inputs, skip_unknown=True)
                for value_id in within & inside.keys():
                    found.setdefault(value_id, {})[times] = inside[value_id]
        return found

    def times_of(self, loops: tuple[int, ...]) -> list[Index]:
        """All times of some loops, one inside the other."""
        return list(np.ndindex(*(self._reading.loop_lengths[step_id] for step_id in loops)))

    def _over_times(self, loops: tuple[int, ...], make: Any) -> np.ndarray:
        lengths = tuple(self._reading.loop_lengths[step_id] for step_id in loops)
        if not lengths:
            return np.asarray(make(()))
        made = [np.asarray(make(times)) for times in np.ndindex(*lengths)]
        return np.stack(made).reshape(*lengths, *made[0].shape) if made else np.zeros(lengths)

    def _id(self, name: str) -> int:
        if name not in self._reading.ids:
            raise UsageError(f"there is no value called {name!r}. {_near(name, self._reading.ids)}")
        return self._reading.ids[name]

    def _checked_index(self, name: str, index: Sequence[int] | int) -> Index:
        shape = self[name].shape
        try:
            given = tuple(operator.index(each) for each in np.atleast_1d(np.asarray(index, dtype=object)))
        except TypeError:
            raise UsageError(
                f"an index is one whole number for each axis, such as {(0,) * len(shape)}; got {index!r}"
            ) from None
        if len(given) != len(shape):
            raise UsageError(
                f"{name} has shape {shape}, so an element has {len(shape)} indices; {given} has {len(given)}"
            )
        for axis, (position, size) in enumerate(zip(given, shape, strict=True)):
            if not -size <= position < size:
                raise UsageError(
                    f"{name} has shape {shape}; index {position} on axis {axis} lies outside 0…{size - 1}"
                )
        return tuple(int(position) % size for position, size in zip(given, shape, strict=True))


def _ids_within(step: Step) -> set[int]:
    """Ids of all values in the bodies of a step, their arguments too."""
    found: set[int] = set()
    for body in step.bodies:
        found |= body_value_ids(body) | set(body.inputs)
        found |= {each for inner in body.all_steps() for part in inner.bodies for each in part.inputs}
    return found


def _branching_steps(program: Program) -> Iterator[Step]:
    """Every `while` and `cond` that stands in no other, those inside a `scan` too."""
    for step in program.steps:
        if step.primitive in ("while", "cond"):
            yield step
        elif step.primitive == "scan":
            yield from _branching_steps(step.bodies[0])


_MAX_PASSES = 100_000
_LOOP_TEXT = "the result of a `while` loop, whose number of rounds is not known beforehand"


def _near(name: Any, names: Any) -> str:
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.4)
    return f"Did you mean {' or '.join(near)}?" if near else "trace.names() lists all"


def _on_device(array: np.ndarray) -> Any:
    import jax.numpy as jnp

    return jnp.asarray(array)


def _is_finite(array: np.ndarray) -> bool:
    return bool(_finite(array).all())


def _finite(array: np.ndarray) -> np.ndarray:
    return np.asarray(np.isfinite(_plain_numbers(array)))


def _is_nan(array: np.ndarray) -> np.ndarray:
    return np.asarray(np.isnan(_plain_numbers(array)))


def _plain_numbers(array: np.ndarray) -> np.ndarray:
    """Small floats of other packages as float32."""
    return array.astype(np.float32) if array.dtype.kind == "V" or array.dtype.itemsize == 1 else array


def _is_key(array: Any) -> bool:
    return hasattr(array, "dtype") and is_key_type(array.dtype)


def _as_words(array: Any) -> np.ndarray:
    import jax

    return np.asarray(jax.random.key_data(array)) if _is_key(array) else np.asarray(array)
