"""Which operand precision multiplies fastest on this machine: measured, not guessed."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openbook.errors import RunError, UsageError
from openbook.runs.atomic import atomic_write

PRECISIONS = ("float32", "bfloat16")
_NUM_TIMINGS = 7
# Larger products are as fast as one of this size, and would take long to measure.
_LARGEST_DIM = 2048
# (rows, width, units) of a product that stands for a machine.
_TYPICAL_PRODUCT = (1024, 256, 1024)


def remembered_precision(rows: int, width: int, units: int, *, memory: Path, backend: str = "jax") -> str:
    """The fastest precision for a product of this shape, measured once on this machine.

    A second measurement could come out differently, and the same seed would no longer give the same result.

    Args:
        rows, width, units: shape of the product (rows, width) @ (width, units).
        memory: file with what was measured before, as JSON.
        backend: what multiplies in training, "jax" or "torch".
    """
    rows, width, units = (min(dim, _LARGEST_DIM) for dim in (rows, width, units))

    def measure() -> str:
        return fastest_precision(rows, width, units, backend=backend)[0]

    return str(_remembered(f"{_here(backend)} {rows}x{width}x{units}", measure, memory=memory, kind=str))


def remembered_gflops(*, memory: Path, backend: str = "jax") -> float:
    """How many 10⁹ operations a second a training-like product takes here, in the faster precision; measured once.

    Args:
        memory, backend: as of `remembered_precision`.
    """

    def measure() -> float:
        return round(max(fastest_precision(*_TYPICAL_PRODUCT, backend=backend)[1].values()), 1)

    return float(_remembered(f"{_here(backend)} gflops", measure, memory=memory, kind=float))


def fastest_precision(
    rows: int, width: int, units: int, *, backend: str = "jax"
) -> tuple[str, dict[str, float]]:
    """Time a training-like product, forward and backward, in each precision, in turns.

    Args:
        rows, width, units: shape of the product (rows, width) @ (width, units).
    Returns:
        "float32" or "bfloat16", and the GFLOP/s of each (medians).
    """
    speeds = _torch_speeds(rows, width, units) if backend == "torch" else _jax_speeds(rows, width, units)
    # A tie goes to the precision with more digits.
    chosen = "bfloat16" if speeds["bfloat16"] > 1.1 * speeds["float32"] else "float32"
    return chosen, speeds


def measured_speeds(run: Callable[[str], object], *, num_operations: int) -> dict[str, float]:
    """GFLOP/s of something that is run in each precision, in turns; medians.

    Args:
        run: takes a precision and returns when its work is done.
        num_operations: of one run.
    """
    durations: dict[str, list[float]] = {precision: [] for precision in PRECISIONS}
    for precision in PRECISIONS:
        run(precision)
    for _ in range(_NUM_TIMINGS):
        for precision in PRECISIONS:
            begin = time.perf_counter()
            run(precision)
            durations[precision].append(time.perf_counter() - begin)
    return {name: num_operations / statistics.median(times) / 1e9 for name, times in durations.items()}


def _remembered(key: str, measure: Callable[[], Any], *, memory: Path, kind: type) -> Any:
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    known = known if isinstance(known, dict) else {}
    if not isinstance(known.get(key), kind):
        known = {**known, key: measure()}
        # A cache folder that cannot be written only means measuring again the next time.
        with contextlib.suppress(OSError, RunError):
            memory.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(memory, json.dumps(known, indent=2))
    return known[key]


def _here(backend: str) -> str:
    """What must be the same for a measurement to hold."""
    machine = f"{platform.machine()} x{os.cpu_count()}"
    if backend == "torch":
        return f"{machine} torch-{importlib.metadata.version('torch')}"
    import jax

    return f"{machine} {jax.devices()[0].device_kind} jax-{jax.__version__}"


def _torch_speeds(rows: int, width: int, units: int) -> dict[str, float]:
    from openbook.training.torch_process import TorchProcess

    with contextlib.closing(TorchProcess()) as process:
        speeds: dict[str, float] = process.ask("speeds", rows, width, units)
        return speeds


def _jax_speeds(rows: int, width: int, units: int) -> dict[str, float]:
    import jax
    import jax.numpy as jnp

    from openbook.layers.product import product

    inputs, kernel = jnp.ones((rows, width)), jnp.full((width, units), 0.5)

    def gradients(precision: str):  # type: ignore[no-untyped-def]
        return jax.jit(
            jax.grad(lambda a, b: jnp.sum(jnp.square(product(a, b, precision=precision))), argnums=(0, 1))
        )

    functions = {precision: gradients(precision) for precision in PRECISIONS}
    return measured_speeds(
        lambda precision: jax.block_until_ready(functions[precision](inputs, kernel)),
        num_operations=3 * 2 * rows * width * units,
    )


def check_precision(precision: str) -> None:
    """Raise UsageError unless the name is one openbook knows."""
    if precision not in ("auto", *PRECISIONS):
        raise UsageError(f"--precision must be auto, float32 or bfloat16, not {precision!r}")
