"""A training step's program from shapes alone: no weight of the model is drawn, so it may be of any size."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from openbook.program.cost import ProgramCost, cost_of
from openbook.program.program import FORWARD, Program, program_of_jaxpr
from openbook.runs.machine import resident_bytes
from openbook.training.step import train_step_function
from openbook.training.weightless import without_weights


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepProgram:
    """A training step as read, lowered, and perhaps compiled.

    Attributes:
        forward: cost of its forward part alone.
        state: shapes of weights, statistics and optimizer slots, as the step takes them.
        weight_bytes, statistics_bytes, slot_bytes: of these three.
        trace_s: what reading and lowering took here.
        compile_s: what compiling took here; None where it was not compiled.
        compile_bytes: by how much this process grew with it; None as above.
        temporary_bytes, fused_bytes: by the compiler, of arrays inside the step and of all that is moved; None as
            above.
        compiled: takes (state, inputs, targets, learning rate), returns (state, loss).
    """

    program: Program
    cost: ProgramCost
    forward: ProgramCost
    num_parameters: int
    state: Any
    weight_bytes: int
    statistics_bytes: int
    slot_bytes: int
    trace_s: float
    lowered: Any
    compile_s: float | None = None
    compile_bytes: int | None = None
    temporary_bytes: int | None = None
    fused_bytes: float | None = None
    compiled: Any = None

    @property
    def state_bytes(self) -> int:
        return self.weight_bytes + self.statistics_bytes + self.slot_bytes


def read_step(
    build: Callable[[], Any],
    make_optimizer: Callable[[], Any],
    loss: Callable[[Any, Any], Any],
    batch: tuple[Any, Any],
    *,
    is_compiled: Callable[[Program], bool] = lambda program: False,
) -> StepProgram:
    """Read one training step.

    Args:
        build: makes the model.
        make_optimizer: makes its optimizer, not built yet.
        loss: (outputs, targets) -> scalar.
        batch: inputs and targets of one step; their shapes count, not their values.
        is_compiled: whether to compile a step of this program, which begins while the rest of it is read.
    """
    import jax
    import jax.numpy as jnp

    optimizer = make_optimizer()
    begin_s = time.perf_counter()
    with without_weights():
        model = build()
        optimizer.build(model.trainable_variables)
        groups = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
        state = tuple([jax.ShapeDtypeStruct(each.shape, each.dtype) for each in group] for group in groups)
        inputs, targets = jax.tree.map(lambda each: jax.ShapeDtypeStruct(each.shape, each.dtype), batch)
        jitted = jax.jit(train_step_function(model, optimizer, loss), donate_argnums=0)
        traced = jitted.trace(state, inputs, targets, jax.ShapeDtypeStruct((), jnp.float32))
        lowered = traced.lower()
    trace_s = time.perf_counter() - begin_s
    program = program_of_jaxpr(traced.jaxpr)
    compiling = _Compiling(lowered) if is_compiled(program) else None
    cost = cost_of(program)
    sizes = [sum(each.size * each.dtype.itemsize for each in group) for group in state]
    step = StepProgram(
        program=program,
        cost=cost,
        forward=_forward_part(cost, update=optimizer.name),
        num_parameters=sum(math.prod(weight.shape) for weight in model.weights),
        state=state,
        weight_bytes=sizes[0],
        statistics_bytes=sizes[1],
        slot_bytes=sizes[2],
        trace_s=trace_s,
        lowered=lowered,
    )
    return step if compiling is None else compiling.finished(step)


def compiled(step: StepProgram) -> StepProgram:
    """The same step, compiled, with what the compiler says of its memory; nothing is run."""
    return step if step.compiled is not None else _Compiling(step.lowered).finished(step)


class _Compiling:
    """A step that is compiled in a thread of its own: the compiler does not hold Python up."""

    def __init__(self, lowered: Any) -> None:
        self._before_bytes = resident_bytes()
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._compiled = self._thread.submit(_compile, lowered)

    def finished(self, step: StepProgram) -> StepProgram:
        """The step with its compiled program, waited for."""
        with self._thread:
            executable, compile_s = self._compiled.result()
        memory, analysis = executable.memory_analysis(), executable.cost_analysis() or {}
        return dataclasses.replace(
            step,
            compile_s=compile_s,
            compile_bytes=max(0, resident_bytes() - self._before_bytes),
            temporary_bytes=None if memory is None else int(memory.temp_size_in_bytes),
            fused_bytes=analysis.get("bytes accessed"),
            compiled=executable,
        )


def _compile(lowered: Any) -> tuple[Any, float]:
    begin_s = time.perf_counter()
    return lowered.compile(), time.perf_counter() - begin_s


def _forward_part(cost: ProgramCost, *, update: str) -> ProgramCost:
    """The steps that layers make on the way forward; those of the optimizer carry its name."""
    steps = [
        each
        for each in cost.steps
        if each.step.scope.phase == FORWARD and each.step.scope.path and each.step.scope.path[0] != update
    ]
    return ProgramCost(steps=tuple(steps))
