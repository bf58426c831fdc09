"""What a run records about its machine and versions; finding it out imports no heavy library."""

import contextlib
import functools
import importlib.metadata
import os
import platform
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = [
    "PACKAGES",
    "describe_machine",
    "memory_bytes",
    "package_versions",
    "peak_memory_bytes",
    "process_age_s",
    "processor_name",
    "resident_bytes",
    "usable_cores",
]

# A start that seems to take longer is a clock that was set.
_LONGEST_START_S = 120.0

# The packages whose version can change the numbers of a run.
PACKAGES = ("openbook", "keras", "jax", "jaxlib", "numpy", "tokenizers")


def describe_machine(*, accelerators: Sequence[str] = ()) -> dict[str, object]:
    """The machine as JSON-able facts.

    Args:
        accelerators: names of the GPUs or TPUs that are used; whoever has the backend loaded knows them.
    """
    processor, num_cores = processor_name(), usable_cores()
    total_bytes, _ = memory_bytes()
    return {
        "label": ", ".join(dict.fromkeys(accelerators)) or f"{processor}, {num_cores} cores",
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": processor,
        "num_cores": num_cores,
        "memory_bytes": total_bytes,
        "accelerators": list(accelerators),
        "python": platform.python_version(),
    }


def package_versions() -> dict[str, str | None]:
    """The installed version of each package in `PACKAGES`; None where one is not installed."""
    versions: dict[str, str | None] = dict.fromkeys(PACKAGES)
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def usable_cores() -> int:
    """Processor cores this process may use: in many containers fewer than the machine has."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = _container_fact("cpu.max").split()
        if quota != "max":
            cores = min(cores, max(1, round(int(quota) / int(period))))
    return cores


def memory_bytes() -> tuple[int, int]:
    """Memory this process may use: total and available, with a container's limit taken into account."""
    import psutil  # type: ignore[import-untyped]

    memory = psutil.virtual_memory()
    total, available = int(memory.total), int(memory.available)
    with contextlib.suppress(OSError, ValueError):
        limit = int(_container_fact("memory.max"))
        # Cached files count as used there, but the kernel gives them up when memory is asked for.
        cached = re.search(r"^inactive_file (\d+)$", _container_fact("memory.stat"), re.MULTILINE)
        used = int(_container_fact("memory.current")) - (int(cached.group(1)) if cached else 0)
        total, available = min(total, limit), max(0, min(available, limit - used))
    return total, available


def peak_memory_bytes() -> int:
    """The most memory this process has held so far, in bytes (resident set size)."""
    with contextlib.suppress(OSError, AttributeError):
        found = re.search(
            r"^VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE
        )
        if found:
            return 1024 * int(found.group(1))
    import psutil

    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):
        return int(memory.peak_wset)
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)


def resident_bytes() -> int:
    """Memory that this process holds now, in bytes (resident set size)."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def process_age_s() -> float:
    """Seconds since this process was started; 0 where the clock was set meanwhile."""
    import psutil

    age_s = time.time() - float(psutil.Process().create_time())
    return age_s if 0.0 <= age_s < _LONGEST_START_S else 0.0


def _container_fact(name: str) -> str:
    return Path("/sys/fs/cgroup", name).read_text(encoding="ascii").strip()


@functools.cache
def processor_name() -> str:
    """The processor as its maker names it, without marks and clock rates."""
    name = ""
    with contextlib.suppress(OSError):
        found = re.search(
            r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE
        )
        name = found.group(1) if found else ""
    if not name and platform.system() == "Darwin":
        name = _macos_processor_name()
    name = name or platform.processor() or platform.machine() or "processor"
    without_marks = re.sub(r"\((R|TM|r|tm)\)|\bCPU\b|@.*$", " ", name)
    return " ".join(without_marks.split()) or name


def _macos_processor_name() -> str:
    import subprocess

    try:
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
