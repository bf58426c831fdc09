"""Reads a program as a graph: broadcasts, conversions and axes of size 1 that NumPy does not need fall away."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openbook.program.numpy_source.bodies import read_compound
from openbook.program.numpy_source.contractions import read_contraction
from openbook.program.numpy_source.graph import Block, Graph, Node, unknown_primitive
from openbook.program.numpy_source.identities import same_value
from openbook.program.numpy_source.views import ELEMENTWISE, REDUCTIONS, View, align_index, paired_axes
from openbook.program.primitives.table import Shape, primitives
from openbook.program.program import Program, Scope, Step

_HANDED_ON = "copy copy_p stop_gradient optimization_barrier sharding_constraint pvary name layout_constraint"
_SAME_VALUE = frozenset(_HANDED_ON.split())
_LARGEST_FOLDED = 64


def read_graph(program: Program) -> Graph:
    """The graph of a program; `graph.block` has the program's inputs and outputs, in order.

    Raises:
        ModelError: a primitive is not in the table.
    """
    return Reader(program).read()


class Reader:
    """Reads a program step by step; holds what each of its values is in the graph."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.graph = Graph()
        self.views: dict[int, View] = {}
        self.nodes: list[Node] = []
        # Equal operations on equal operands are computed once; inner blocks see those of the outer ones.
        self.known: dict[Any, list[int]] = {}
        self.scope = Scope(path=())
        self.producer: dict[int, Node] = {}

    def read(self) -> Graph:
        block = self.graph.block
        self.add_constants(self.program)
        for value_id in self.program.inputs:
            block.inputs.append(self.new_input(value_id))
        self.read_steps(self.program.steps)
        block.outputs[:] = [self.whole(value_id) for value_id in self.program.outputs]
        block.nodes[:] = self.nodes
        self.graph.drop_unused()
        return self.graph

    # --- values ---------------------------------------------------------------------------------------------

    def declared(self, value_id: int) -> tuple[int, ...]:
        return tuple(int(size) for size in self.program.values[value_id].shape)

    def dtype(self, value_id: int) -> Any:
        return self.program.values[value_id].dtype

    def new_input(self, value_id: int) -> int:
        shape = self.declared(value_id)
        new = self.graph.new_value(shape, self.dtype(value_id))
        self.views[value_id] = View(new, tuple(range(len(shape))))
        return new

    def add_constants(self, program: Program) -> None:
        for value_id, array in program.constants.items():
            if value_id not in self.views:
                self.views[value_id] = self._constant_view(np.asarray(array))

    def _constant_view(self, array: np.ndarray) -> View:
        if array.ndim and array.size and (array == array.flat[0]).all():
            return View(self.graph.new_constant(array.reshape(-1)[0].reshape(())), (None,) * array.ndim)
        return View(self.graph.new_constant(array), tuple(range(array.ndim)))

    def emit(
        self,
        operation: str,
        params: Mapping[str, Any],
        inputs: Sequence[int],
        results: Sequence[tuple[Sequence[int], Any]],
        blocks: Sequence[Block] = (),
    ) -> list[int]:
        key = None
        if not blocks:
            key = (
                operation,
                tuple(inputs),
                _fingerprint(params),
                tuple(tuple(shape) for shape, _ in results),
            )
            if key in self.known:
                return self.known[key]
        outputs = [self.graph.new_value(shape, dtype) for shape, dtype in results]
        node = Node(
            operation=operation,
            params=params,
            inputs=list(inputs),
            outputs=outputs,
            scope=self.scope,
            blocks=list(blocks),
        )
        self.nodes.append(node)
        self.producer.update(dict.fromkeys(outputs, node))
        if key is not None:
            self.known[key] = outputs
        return outputs

    def _align(self, view: View, kept: Sequence[int]) -> int:
        """The value with its axes where NumPy's broadcasting over the kept axes wants them."""
        present = align_index(view.axes, kept)
        if all(present):
            return view.value_id
        return self._expand(view.value_id, present)

    def _expand(self, value_id: int, present: Sequence[bool]) -> int:
        sizes = iter(self.graph.shapes[value_id])
        shape = [next(sizes) if each else 1 for each in present]
        constant = self.graph.constants.get(value_id)
        if constant is not None and constant.size <= _LARGEST_FOLDED:
            return self.graph.new_constant(constant.reshape(shape))
        [new] = self.emit(
            "expand", {"present": tuple(present)}, [value_id], [(shape, self.graph.dtypes[value_id])]
        )
        return new

    def whole(self, value_id: int) -> int:
        """The value with exactly the program's shape."""
        return self._materialized(self.views[value_id], self.declared(value_id))

    def _materialized(self, view: View, declared: tuple[int, ...]) -> int:
        dtype = self.graph.dtypes[view.value_id]
        number = self.graph.scalar(view.value_id)
        if declared and number is not None:
            [new] = self.emit("full", {"shape": declared, "number": number}, [], [(declared, dtype)])
            return new
        value_id = self._align(view, range(len(declared)))
        shape = self.graph.shapes[value_id]
        if shape == declared:
            return value_id
        ones = len(declared) - len(shape)
        if all(size == 1 for size in declared[:ones]) and shape == declared[ones:]:
            return self._expand(value_id, [False] * ones + [True] * len(shape))
        [new] = self.emit("broadcast", {"shape": declared}, [value_id], [(declared, dtype)])
        return new

    # --- steps ----------------------------------------------------------------------------------------------

    def read_steps(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self.scope = step.scope
            self._read_step(step)

    def _read_step(self, step: Step) -> None:
        name = step.primitive
        if step.bodies:
            read_compound(self, step)
        elif name in _SAME_VALUE:
            for source, result in zip(step.inputs, step.outputs, strict=True):
                self.views[result] = self.views[source]
        elif self._is_known(step):
            self._fold(step)
        elif name in ("broadcast_in_dim", "reshape", "squeeze", "expand_dims", "transpose", "iota"):
            getattr(self, f"_{name}")(step)
        elif name in ELEMENTWISE:
            self._elementwise(step)
        elif name in REDUCTIONS:
            self._reduction(step)
        elif name == "dot_general":
            read_contraction(self, step)
        else:
            self._other(step)

    def _is_known(self, step: Step) -> bool:
        """Whether all operands are constants, and few numbers come out."""
        if not step.inputs or len(step.outputs) != 1 or step.primitive.startswith(("random_", "threefry")):
            return False
        if any(self.views[value_id].value_id not in self.graph.constants for value_id in step.inputs):
            return False
        if step.primitive in ("broadcast_in_dim", "reshape", "transpose"):
            return False
        sizes = [math.prod(self.declared(value_id)) for value_id in (*step.inputs, *step.outputs)]
        scalars = all(self.graph.scalar(self.views[each].value_id) is not None for each in step.inputs)
        return max(sizes) <= _LARGEST_FOLDED or (step.primitive in ELEMENTWISE and scalars)

    def _fold(self, step: Step) -> None:
        entry = primitives().get(step.primitive)
        if entry is None:
            raise unknown_primitive(step.primitive, step.scope)
        [output] = step.outputs
        shape = self.declared(output)
        scalars = [self.graph.scalar(self.views[each].value_id) is not None for each in step.inputs]
        if step.primitive in ELEMENTWISE and all(scalars):
            operands = [self.graph.constants[self.views[each].value_id] for each in step.inputs]
            results: tuple[int, ...] = ()
        else:
            operands = []
            for value_id in step.inputs:
                view = self.views[value_id]
                array = self.graph.constants[view.value_id]
                spread = [1 if axis is None else array.shape[axis] for axis in view.axes]
                operands.append(np.broadcast_to(array.reshape(spread), self.declared(value_id)))
            results = shape
        with np.errstate(all="ignore"):
            [array] = entry.value(step.params, operands, [Shape(shape=results, dtype=self.dtype(output))])
        array = np.asarray(array, dtype=self.dtype(output))
        if array.shape == shape:
            self.views[output] = self._constant_view(array)
        else:
            self.views[output] = View(self.graph.new_constant(array), (None,) * len(shape))

    def _broadcast_in_dim(self, step: Step) -> None:
        view = self.views[step.inputs[0]]
        producer = self.producer.get(view.value_id)
        shape = self.declared(step.outputs[0])
        if producer is not None and producer.operation == "squeeze" and not any(each != 1 for each in shape):
            # An axis that was taken away comes back.
            [source] = producer.inputs
            if self.graph.shapes[source] == shape:
                self.views[step.outputs[0]] = View(source, tuple(range(len(shape))))
                return
        axes: list[int | None] = [None] * len(self.declared(step.outputs[0]))
        for axis, place in zip(view.axes, step.params["broadcast_dimensions"], strict=True):
            axes[int(place)] = axis
        self.views[step.outputs[0]] = View(view.value_id, tuple(axes))

    _expand_dims = _broadcast_in_dim

    def squeezed(self, view: View, dropped: Sequence[int]) -> View:
        """A view without some of its axes, all of size 1."""
        real = sorted(axis for place in dropped if (axis := view.axes[place]) is not None)
        kept = [axis for place, axis in enumerate(view.axes) if place not in dropped]
        if not real:
            return View(view.value_id, tuple(kept))
        shape = self.graph.shapes[view.value_id]
        producer = self.producer.get(view.value_id)
        dtype = self.graph.dtypes[view.value_id]
        remaining = [size for axis, size in enumerate(shape) if axis not in real]
        if producer is not None and producer.operation == "slice" and real == [0]:
            starts, strides = producer.params["start_indices"], producer.params["strides"]
            [source] = producer.inputs
            whole = self.graph.shapes[source]
            rest_is_whole = tuple(shape[1:]) == tuple(whole[1:])
            if rest_is_whole and not (strides and any(each != 1 for each in strides)):
                position = int(starts[0])
                position = -1 if position == whole[0] - 1 and position > 0 else position
                [new] = self.emit("index", {"position": position}, [source], [(remaining, dtype)])
                return self._renumbered(new, kept)
        [new] = self.emit("squeeze", {"dimensions": tuple(real)}, [view.value_id], [(remaining, dtype)])
        return self._renumbered(new, kept)

    @staticmethod
    def _renumbered(value_id: int, kept: Sequence[int | None]) -> View:
        order = sorted(axis for axis in kept if axis is not None)
        return View(value_id, tuple(None if axis is None else order.index(axis) for axis in kept))

    def _squeeze(self, step: Step) -> None:
        view = self.views[step.inputs[0]]
        dropped = [int(axis) % len(view.axes) for axis in step.params["dimensions"]]
        self.views[step.outputs[0]] = self.squeezed(view, dropped)

    def _reshape(self, step: Step) -> None:
        source, result = step.inputs[0], step.outputs[0]
        before, after = self.declared(source), self.declared(result)
        view = self.views[source]
        if step.params.get("dimensions") is None and self.graph.scalar(view.value_id) is not None:
            self.views[result] = View(view.value_id, (None,) * len(after))
            return
        if step.params.get("dimensions") is None and [s for s in before if s != 1] == [
            s for s in after if s != 1
        ]:
            if before == after:
                self.views[result] = view
                return
            kept, places = paired_axes(before, after)
            view = self.squeezed(view, [place for place in range(len(before)) if place not in kept])
            axes = [None if place is None else view.axes[sorted(kept).index(place)] for place in places]
            self.views[result] = View(view.value_id, tuple(axes))
            return
        value_id = self.whole(source)
        producer = self.producer.get(value_id)
        if producer is not None and producer.operation == "reshape":
            [value_id] = producer.inputs
        if self.graph.shapes[value_id] == after:
            self.views[result] = View(value_id, tuple(range(len(after))))
            return
        params = {"new_sizes": after, "dimensions": step.params.get("dimensions")}
        self._emit_whole("reshape", params, [value_id], step)

    def _transpose(self, step: Step) -> None:
        view = self.views[step.inputs[0]]
        axes = [view.axes[int(place)] for place in step.params["permutation"]]
        real = [axis for axis in axes if axis is not None]
        if real == sorted(real):
            self.views[step.outputs[0]] = View(view.value_id, tuple(axes))
            return
        shape = [self.graph.shapes[view.value_id][axis] for axis in real]
        dtype = self.graph.dtypes[view.value_id]
        value_id, permutation = view.value_id, tuple(real)
        producer = self.producer.get(value_id)
        if producer is not None and producer.operation == "transpose":
            permutation = tuple(producer.params["permutation"][axis] for axis in permutation)
            [value_id] = producer.inputs
        new = value_id
        if permutation != tuple(range(len(permutation))):
            [new] = self.emit("transpose", {"permutation": permutation}, [value_id], [(shape, dtype)])
        numbers = iter(range(len(real)))
        self.views[step.outputs[0]] = View(
            new, tuple(None if axis is None else next(numbers) for axis in axes)
        )

    def _iota(self, step: Step) -> None:
        shape = self.declared(step.outputs[0])
        dimension = int(step.params["dimension"])
        dtype = self.dtype(step.outputs[0])
        size = (shape[dimension],)
        params = {"dtype": dtype, "shape": size, "dimension": 0, "sharding": None}
        [new] = self.emit("iota", params, [], [(size, dtype)])
        axes: list[int | None] = [None] * len(shape)
        axes[dimension] = 0
        self.views[step.outputs[0]] = View(new, tuple(axes))

    def _elementwise(self, step: Step) -> None:
        [output] = step.outputs
        declared, dtype = self.declared(output), self.dtype(output)
        rank = len(declared)
        views = [self.views[value_id] for value_id in step.inputs]
        same = same_value(self, step, views)
        if same is not None:
            self.views[output] = same
            return
        spread = [view for view in views if len(view.axes) == rank]
        kept = [axis for axis in range(rank) if any(view.axes[axis] is not None for view in spread)]
        inputs = [self._align(view, kept) if len(view.axes) == rank else view.value_id for view in views]
        shape = np.broadcast_shapes(*(self.graph.shapes[value_id] for value_id in inputs))
        [new] = self.emit(step.primitive, step.params, inputs, [(shape, dtype)])
        # NumPy drops leading axes that no operand has; all kept axes exist in at least one.
        places = {axis: number for number, axis in enumerate(kept)}
        self.views[output] = View(new, tuple(places.get(axis) for axis in range(rank)))

    def _reduction(self, step: Step) -> None:
        declared = self.declared(step.inputs[0])
        view = self.views[step.inputs[0]]
        axes = [int(axis) for axis in step.params["axes"]]
        trivial = [axis for axis in axes if declared[axis] == 1]
        summed = [axis for axis in axes if declared[axis] != 1]
        sizes = self.graph.shapes[view.value_id]
        spread = [
            axis for axis in summed if (real := view.axes[axis]) is None or sizes[real] != declared[axis]
        ]
        if spread and step.primitive not in ("reduce_max", "reduce_min", "reduce_and", "reduce_or"):
            whole = self.whole(step.inputs[0])
            view = View(whole, tuple(range(len(declared))))
        elif spread:
            # The largest of equal numbers is any of them.
            trivial, summed = trivial + spread, [axis for axis in summed if axis not in spread]
        if not summed:
            self.views[step.outputs[0]] = self.squeezed(view, trivial)
            return
        real_axes = tuple(
            axis for place in axes if place in summed and (axis := view.axes[place]) is not None
        )
        remaining = [
            size for axis, size in enumerate(self.graph.shapes[view.value_id]) if axis not in real_axes
        ]
        dtype = self.dtype(step.outputs[0])
        params = {"axes": tuple(sorted(real_axes))}
        [new] = self.emit(step.primitive, params, [view.value_id], [(remaining, dtype)])
        reduced = self._renumbered(new, [axis for place, axis in enumerate(view.axes) if place not in summed])
        numbered = [place for place in range(len(declared)) if place not in summed]
        self.views[step.outputs[0]] = self.squeezed(reduced, [numbered.index(place) for place in trivial])

    def _other(self, step: Step) -> None:
        if step.primitive not in primitives():
            raise unknown_primitive(step.primitive, step.scope)
        self._emit_whole(
            step.primitive, step.params, [self.whole(value_id) for value_id in step.inputs], step
        )

    def _emit_whole(
        self, operation: str, params: Mapping[str, Any], inputs: Sequence[int], step: Step
    ) -> None:
        results = [(self.declared(value_id), self.dtype(value_id)) for value_id in step.outputs]
        self.set_whole(step.outputs, self.emit(operation, params, inputs, results))

    def set_whole(self, results: Sequence[int], outputs: Sequence[int]) -> None:
        for result, output in zip(results, outputs, strict=True):
            self.views[result] = View(output, tuple(range(len(self.declared(result)))))


def _fingerprint(params: Mapping[str, Any]) -> Any:
    return tuple((key, str(params[key])) for key in sorted(params))
