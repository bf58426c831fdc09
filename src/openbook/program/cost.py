"""Operations and bytes of a program, by step, by layer, and altogether."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openbook.program.numpy_run import shapes_of
from openbook.program.primitives.table import Cost, primitives
from openbook.program.program import Program, Step

_NOTHING = Cost(operations=0.0, bytes_read=0.0, bytes_written=0.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepCost:
    """What one step costs.

    Attributes:
        times: how often it is executed; steps inside a `scan` once for each time step.
        is_known: False where the table has no entry, and inside a `while`, whose rounds are not known
            beforehand (counted as one).
    """

    step: Step
    cost: Cost
    times: int
    is_known: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProgramCost:
    """What a program costs.

    Attributes:
        steps: every step with its cost, those inside loops multiplied.
        peak_memory_bytes: arguments, results and temporary arrays of the compiled program by the compiler's
            own analysis; None where it was not compiled.
    """

    steps: tuple[StepCost, ...]
    peak_memory_bytes: int | None = None

    @property
    def total(self) -> Cost:
        """Of the whole program; a multiply-add counts as two operations."""
        return _sum(each.cost for each in self.steps)

    @property
    def operations(self) -> float:
        """Arithmetic operations of the whole program."""
        return self.total.operations

    @property
    def bytes_moved(self) -> float:
        """Bytes read and written, as if nothing were fused or cached."""
        return self.total.bytes_read + self.total.bytes_written

    @property
    def unknown_primitives(self) -> tuple[str, ...]:
        """Primitives whose cost is not in the sum, sorted."""
        return tuple(sorted({each.step.primitive for each in self.steps if not each.is_known}))

    def by_layer(self, depth: int | None = None) -> Mapping[str, Cost]:
        """Cost by layer path, in the order of computation; paths cut to `depth` parts when given."""
        layers: dict[str, list[Cost]] = {}
        for each in self.steps:
            path = each.step.scope.path
            layers.setdefault("/".join(path if depth is None else path[:depth]), []).append(each.cost)
        return {path: _sum(iter(costs)) for path, costs in layers.items()}


def cost_of(program: Program) -> ProgramCost:
    """Count a program by its shapes alone; nothing is run."""
    return ProgramCost(steps=tuple(_steps(program, program, times=1, is_known=True)))


def compiled_cost_of(program: Program, inputs: Sequence[Any]) -> ProgramCost:
    """The same, with the peak memory of the compiled program by the compiler's own analysis."""
    import jax

    from openbook.program.capture import replay

    if any(step.jax_primitive is None for step in program.steps):
        return cost_of(program)  # read in another process; what can be compiled stayed there
    compiled = jax.jit(lambda *arrays: replay(program, arrays, frozenset())[0]).lower(*inputs).compile()
    memory = compiled.memory_analysis()
    peak = None
    if memory is not None:
        sizes = (
            memory.argument_size_in_bytes,
            memory.output_size_in_bytes,
            memory.temp_size_in_bytes,
            -memory.alias_size_in_bytes,
        )
        peak = int(sum(sizes))
    return dataclasses.replace(cost_of(program), peak_memory_bytes=peak)


def _steps(root: Program, program: Program, *, times: int, is_known: bool) -> Iterator[StepCost]:
    for step in program.steps:
        if step.bodies:
            if step.primitive == "cond":
                # One branch is taken; the dearest stands for it.
                branches = [tuple(_steps(root, body, times=times, is_known=is_known)) for body in step.bodies]
                yield from max(branches, key=lambda costs: sum(each.cost.operations for each in costs))
                continue
            rounds = times * (step.params["length"] if step.primitive == "scan" else 1)
            inside_known = is_known and step.primitive == "scan"
            for body in step.bodies:
                yield from _steps(root, body, times=rounds, is_known=inside_known)
            continue
        entry = primitives().get(step.primitive)
        if entry is None:
            yield StepCost(step=step, cost=_NOTHING, times=times, is_known=False)
            continue
        once = entry.cost(step.params, shapes_of(root, step.inputs), shapes_of(root, step.outputs))
        cost = Cost(
            operations=times * once.operations,
            bytes_read=times * once.bytes_read,
            bytes_written=times * once.bytes_written,
        )
        yield StepCost(step=step, cost=cost, times=times, is_known=is_known)


def _sum(costs: Iterator[Cost]) -> Cost:
    total = _NOTHING
    for cost in costs:
        total = Cost(
            operations=total.operations + cost.operations,
            bytes_read=total.bytes_read + cost.bytes_read,
            bytes_written=total.bytes_written + cost.bytes_written,
        )
    return total
