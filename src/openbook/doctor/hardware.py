"""What the machine can do: system, devices, memory, the allocator, and the speed of a matrix product."""

import os
import platform
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from openbook.doctor.check import Check
from openbook.relaunch import malloc_state
from openbook.runs.machine import describe_machine, memory_bytes
from openbook.runs.readable import readable_size

__all__ = [
    "check_devices",
    "check_malloc",
    "check_memory",
    "check_platform",
    "check_speed",
    "product_speed",
]

# The default text generator on CPU needs about one gigabyte.
_LOW_MEMORY_BYTES = 2_000_000_000
_TOO_LITTLE_MEMORY_BYTES = 700_000_000
# A laptop of ten years ago does about 30 on one core; less points to a busy or throttled machine.
_SLOW_GFLOPS = 10.0
_PRODUCT_DIM = 1024
_MEASURING_S = 0.7


def check_platform() -> Check:
    """The operating system and the processor."""
    machine = describe_machine()
    found = f"{platform.platform(terse=True)}, {machine['architecture']}, {machine['label']}"
    return Check(name="platform", status="ok", found=found)


def check_devices() -> Check:
    """What JAX computes on."""
    import jax

    devices = jax.devices()
    kinds = [device.device_kind for device in devices]
    counted = ", ".join(f"{kinds.count(kind)} × {kind}" for kind in dict.fromkeys(kinds))
    found = f"{jax.default_backend()}: {counted}"
    if jax.default_backend() == "cpu" and _has_nvidia_card():
        fix = f'{sys.executable} -m pip install "jax[cuda12]"'
        if sys.platform == "win32":
            fix = "JAX uses NVIDIA cards only on Linux; run openbook in WSL 2 to use this one"
        return Check(name="devices", status="warn", found=f"{found}; an NVIDIA card is not used", fix=fix)
    return Check(name="devices", status="ok", found=found)


def check_memory() -> Check:
    """Memory, total and available."""
    total, available = memory_bytes()
    found = f"{readable_size(available)} available of {readable_size(total)}"
    fix = "close other programs, or train a smaller model: openbook train text-generator --size tiny"
    if available < _TOO_LITTLE_MEMORY_BYTES:
        return Check(name="memory", status="fail", found=found, fix=fix)
    if available < _LOW_MEMORY_BYTES:
        return Check(name="memory", status="warn", found=found, fix=fix)
    return Check(name="memory", status="ok", found=found)


def check_malloc() -> Check:
    """The settings of the C library's memory allocator."""
    state = malloc_state()
    found = state.explanation
    if state.kind == "refused":
        fix = "unset OPENBOOK_NO_RELAUNCH; without the settings training is slower"
        return Check(name="malloc settings", status="warn", found=found, fix=fix)
    if state.kind != "other" and "[never]" in _huge_pages():
        found += "; huge pages are switched off in this system, so a part of the gain is missing"
    return Check(name="malloc settings", status="ok", found=found)


def check_speed() -> Check:
    """How fast a matrix product is, in both kinds of numbers that training uses."""
    import jax.numpy as jnp

    float32 = product_speed(jnp.float32)
    bfloat16 = product_speed(jnp.bfloat16)
    found = (
        f"product of two {_PRODUCT_DIM} × {_PRODUCT_DIM} matrices: float32 {float32:.0f} GFLOP/s, "
        f"bfloat16 into float32 {bfloat16:.0f} GFLOP/s ({bfloat16 / float32:.1f} times)"
    )
    if max(float32, bfloat16) < _SLOW_GFLOPS:
        load = f"; load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
        fix = "close other programs, plug in the power supply, switch off the power-saving mode"
        return Check(name="speed", status="warn", found=found + load, fix=fix)
    return Check(name="speed", status="ok", found=found)


def product_speed(dtype: Any, *, dim: int = _PRODUCT_DIM) -> float:
    """GFLOP/s of a square matrix product with inputs of `dtype` and a float32 result; median of several."""
    import jax
    import jax.numpy as jnp

    left = jnp.full((dim, dim), 0.5, dtype=dtype)
    product = jax.jit(lambda a, b: jnp.matmul(a, b, preferred_element_type=jnp.float32))
    product(left, left).block_until_ready()  # compiles
    durations_s: list[float] = []
    end = time.perf_counter() + _MEASURING_S
    while len(durations_s) < 3 or (time.perf_counter() < end and len(durations_s) < 100):
        begin = time.perf_counter()
        product(left, left).block_until_ready()
        durations_s.append(time.perf_counter() - begin)
    return 2 * dim**3 / statistics.median(durations_s) / 1e9


def _has_nvidia_card() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def _huge_pages() -> str:
    try:
        return Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text(encoding="ascii")
    except OSError:
        return ""
