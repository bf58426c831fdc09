"""A few real steps on real data: what one takes on this machine, and what memory they need."""

from __future__ import annotations

import statistics
import time
from typing import Any

from openbook.forecasting.abstract_model import StepProgram
from openbook.forecasting.workload import Workload

NUM_STEPS = 9
# At least so many are timed after the first, however long they take.
FEWEST_STEPS = 1
_LEARNING_RATE = 1e-4


def probe(workload: Workload, step: StepProgram, *, limit_s: float) -> float:
    """Take some steps and throw the first away.

    Args:
        step: compiled.
        limit_s: no further step is begun after so many seconds.
    Returns:
        seconds of a step, the median.
    """
    import jax
    import jax.numpy as jnp

    assert step.compiled is not None, "a step is compiled before it is taken"
    state = _first_state(step.state)
    durations_s: list[float] = []
    begin_s = time.perf_counter()
    for number in range(NUM_STEPS + 1):
        step_begin_s = time.perf_counter()
        inputs, targets = workload.batch_at(number)
        state, loss = step.compiled(state, inputs, targets, jnp.float32(_LEARNING_RATE))
        jax.block_until_ready(loss)
        now_s = time.perf_counter()
        if number > 0:
            durations_s.append(now_s - step_begin_s)
        if len(durations_s) >= FEWEST_STEPS and now_s - begin_s > limit_s:
            break
    return statistics.median(durations_s)


def _first_state(shapes: Any) -> Any:
    """Arrays like first weights: small numbers, zeros for the optimizer."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(0)

    def weight(shape: Any) -> Any:
        if not jnp.issubdtype(shape.dtype, jnp.floating):
            return filled(0, shape)
        # A short run of drawn numbers, repeated: drawing hundreds of millions would take longer than the steps.
        drawn = rng.standard_normal(min(shape.size, 1 << 16), np.float32) * 0.02
        return jnp.asarray(np.resize(drawn, shape.shape), shape.dtype)

    def filled(number: int, shape: Any) -> Any:
        # Made by NumPy: JAX would compile a program for each shape.
        return jnp.asarray(np.full(shape.shape, number, shape.dtype))

    trainable, non_trainable, slots = shapes
    return (
        jax.tree.map(weight, trainable),
        jax.tree.map(lambda shape: filled(1, shape), non_trainable),
        jax.tree.map(lambda shape: filled(0, shape), slots),
    )
