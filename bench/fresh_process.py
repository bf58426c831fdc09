"""Commands of openbook in fresh processes, measured from outside, with nothing compiled before."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

OPENBOOK = (sys.executable, "-m", "openbook")


@contextlib.contextmanager
def fresh(place: Path) -> Iterator[dict[str, str]]:
    """An environment whose cache holds data and profile but no compiled program, and an empty folder for runs."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        cache = Path(folder) / "cache"
        cache.mkdir()
        for name in ("sources", "profiles", "fastest_precision.json"):
            source = place / "cache" / name
            if source.is_dir():
                shutil.copytree(source, cache / name)
            elif source.exists():
                shutil.copy(source, cache / name)
        yield environment(cache, Path(folder) / "runs")


def environment(cache: Path, runs: Path) -> dict[str, str]:
    """This process' environment with these folders for openbook."""
    return {**os.environ, "OPENBOOK_CACHE": str(cache), "OPENBOOK_RUNS": str(runs)}


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[str, float, int]:
    """Standard output, seconds, and peak resident memory of a command, seen from outside."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        begin_s = time.perf_counter()
        process = subprocess.Popen([*OPENBOOK, *arguments], env=dict(environment), stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begin_s
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"openbook {' '.join(arguments)} ended with {process.returncode}")
        output.seek(0)
        peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return output.read(), wall_s, peak
