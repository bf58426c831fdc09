"""Which operand precision multiplies fastest on this machine: measured, not guessed."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import time
from pathlib import Path

from openbook.errors import RunError, UsageError
from openbook.runs.atomic import atomic_write

PRECISIONS = ("float32", "bfloat16")
_NUM_TIMINGS = 7
# Larger products are as fast as one of this size, and would take long to measure.
_LARGEST_DIM = 2048


def remembered_precision(rows: int, width: int, units: int, *, memory: Path) -> str:
    """The fastest precision for a product of this shape, measured once on this machine.

    A second measurement could come out differently, and the same seed would no longer give the same result.

    Args:
        rows, width, units: shape of the product (rows, width) @ (width, units).
        memory: file with what was measured before, as JSON.
    """
    import jax

    rows, width, units = (min(dim, _LARGEST_DIM) for dim in (rows, width, units))
    device = jax.devices()[0].device_kind
    key = f"{platform.machine()} {device} x{os.cpu_count()} jax-{jax.__version__} {rows}x{width}x{units}"
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    if not isinstance(known, dict) or known.get(key) not in PRECISIONS:
        chosen, _ = fastest_precision(rows, width, units)
        known = {**known, key: chosen} if isinstance(known, dict) else {key: chosen}
        # A cache folder that cannot be written only means measuring again the next time.
        with contextlib.suppress(OSError, RunError):
            memory.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(memory, json.dumps(known, indent=2))
    return str(known[key])


def fastest_precision(rows: int, width: int, units: int) -> tuple[str, dict[str, float]]:
    """Time a training-like product, forward and backward, in each precision, in turns.

    Args:
        rows, width, units: shape of the product (rows, width) @ (width, units).
    Returns:
        "float32" or "bfloat16", and the GFLOP/s of each (medians).
    """
    import jax
    import jax.numpy as jnp

    from openbook.layers.product import product

    inputs, kernel = jnp.ones((rows, width)), jnp.full((width, units), 0.5)

    def gradients(precision: str):  # type: ignore[no-untyped-def]
        return jax.jit(
            jax.grad(lambda a, b: jnp.sum(jnp.square(product(a, b, precision=precision))), argnums=(0, 1))
        )

    functions = {precision: gradients(precision) for precision in PRECISIONS}
    durations: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
    for function in functions.values():
        jax.block_until_ready(function(inputs, kernel))
    for _ in range(_NUM_TIMINGS):
        for precision, function in functions.items():
            begin = time.perf_counter()
            jax.block_until_ready(function(inputs, kernel))
            durations[precision].append(time.perf_counter() - begin)
    operations = 3 * 2 * rows * width * units
    speeds = {name: operations / statistics.median(times) / 1e9 for name, times in durations.items()}
    # A tie goes to the precision with more digits.
    chosen = "bfloat16" if speeds["bfloat16"] > 1.1 * speeds["float32"] else "float32"
    return chosen, speeds


def check_precision(precision: str) -> None:
    """Raise UsageError unless the name is one openbook knows."""
    if precision not in ("auto", *PRECISIONS):
        raise UsageError(f"--precision must be auto, float32 or bfloat16, not {precision!r}")
