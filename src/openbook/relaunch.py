"""Gives the C library's memory allocator the settings that make training on a Linux CPU faster.

Training frees and asks for the same large blocks at every step. By default glibc hands each of them back to
the kernel, which clears the pages anew: much of a step's time. The settings below keep the memory in the
process, on huge pages. glibc reads them only when a process starts, so the process replaces itself, once.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["MALLOC_VARIABLES", "TUNABLE", "MallocState", "malloc_state", "relaunch_with_malloc_settings"]

# Large blocks come from the heap, which is not given back and grows by 256 MiB at a time.
MALLOC_VARIABLES: Mapping[str, str] = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "268435456",
}
# The heap asks the kernel for huge pages; needs glibc 2.35, older ones ignore it.
TUNABLE = ("glibc.malloc.hugetlb", "1")

_TUNABLES_VARIABLE = "GLIBC_TUNABLES"
# The same settings under the names that GLIBC_TUNABLES gives them.
_TUNABLE_NAMES: Mapping[str, str] = {
    "MALLOC_MMAP_MAX_": "glibc.malloc.mmap_max",
    "MALLOC_TRIM_THRESHOLD_": "glibc.malloc.trim_threshold",
    "MALLOC_TOP_PAD_": "glibc.malloc.top_pad",
}
_GUARD_VARIABLE = "OPENBOOK_RELAUNCHED"
_REFUSAL_VARIABLE = "OPENBOOK_NO_RELAUNCH"
_SCRIPT_NAMES = frozenset({"openbook", "openbook.py"})


@dataclass(frozen=True, kw_only=True)
class MallocState:
    """How the allocator of this process is set.

    Attributes:
        kind: "set": this process runs with the settings; "settable": a training command will; "refused":
            OPENBOOK_NO_RELAUNCH forbids it; "other": the settings have no meaning here.
        explanation: the same for a person.
        settings: the variables as this process was started with.
    """

    kind: Literal["set", "settable", "refused", "other"]
    explanation: str
    settings: Mapping[str, str]


def relaunch_with_malloc_settings(argv: Sequence[str] | None = None) -> None:
    """Replaces this process by the same command with the settings; returns where that is not needed or wise.

    It is wise only for the `openbook` command itself: not inside another program, such as a notebook or a
    test, nor under a debugger. Values that the user has set stay.

    Args:
        argv: the command line in the form of `sys.argv`, which it is when left out.
    """
    if os.environ.get(_GUARD_VARIABLE) or _is_refused() or _reason_without_meaning():
        return
    if not _is_openbook_command(sys.argv if argv is None else argv) or _is_debugged():
        return
    environment = _with_settings(os.environ)
    if environment == dict(os.environ):
        return
    environment[_GUARD_VARIABLE] = "1"
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    try:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)
    except OSError:
        # Training works without the settings too, only slower.
        return


def malloc_state() -> MallocState:
    """Whether this process has the allocator's settings, or could have them."""
    reason = _reason_without_meaning()
    if reason:
        return MallocState(kind="other", explanation=reason, settings={})
    started_with = _starting_environment()
    names = (_TUNABLES_VARIABLE, *MALLOC_VARIABLES)
    settings = {name: started_with[name] for name in names if name in started_with}
    if _with_settings(started_with) == dict(started_with):
        return MallocState(kind="set", explanation="set for this process", settings=settings)
    if _is_refused():
        explanation = f"switched off by {_REFUSAL_VARIABLE}"
        return MallocState(kind="refused", explanation=explanation, settings=settings)
    explanation = "training commands set them by starting themselves once more"
    return MallocState(kind="settable", explanation=explanation, settings=settings)


def _with_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with our settings, except for those that it has a value for in either form."""
    tunables = [entry for entry in environment.get(_TUNABLES_VARIABLE, "").split(":") if entry]
    tunable_names = {entry.partition("=")[0] for entry in tunables}
    result = dict(environment)
    for name, value in MALLOC_VARIABLES.items():
        if name not in environment and _TUNABLE_NAMES[name] not in tunable_names:
            result[name] = value
    if TUNABLE[0] not in tunable_names:
        result[_TUNABLES_VARIABLE] = ":".join([*tunables, "=".join(TUNABLE)])
    return result


def _reason_without_meaning() -> str:
    """Why the settings have no meaning in this process; empty when they have one."""
    if sys.platform != "linux":
        return "only needed on Linux"
    if not _is_glibc():
        return "only known to glibc, and this system has another C library"
    if "malloc" in os.environ.get("LD_PRELOAD", ""):
        return "not used, because LD_PRELOAD brings another allocator"
    return ""


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, OSError, ValueError):
        return False


def _is_refused() -> bool:
    return os.environ.get(_REFUSAL_VARIABLE, "").strip().lower() not in ("", "0", "false", "no")


def _is_openbook_command(argv: Sequence[str]) -> bool:
    """Whether this process was started as `openbook …` or `python -m openbook …` with these arguments."""
    if not argv or not sys.executable:
        return False
    program = Path(argv[0])
    is_module = program.name == "__main__.py" and program.parent.name == "openbook"
    # Compared with what the process was really started with: a test or a notebook may call the command's
    # function with arguments of its own, and must not be replaced.
    before, arguments = _split_command_line(num_arguments=len(argv) - 1)
    is_started_so = bool(before) and (Path(before[-1]).name in _SCRIPT_NAMES or before[-1] == "-mopenbook")
    return (program.name in _SCRIPT_NAMES or is_module) and is_started_so and arguments == list(argv[1:])


def _split_command_line(*, num_arguments: int) -> tuple[list[str], list[str]]:
    start = max(1, len(sys.orig_argv) - num_arguments)
    return sys.orig_argv[1:start], sys.orig_argv[start:]


def _is_debugged() -> bool:
    if sys.gettrace() is not None or "pydevd" in sys.modules or "debugpy" in sys.modules:
        return True
    monitoring = getattr(sys, "monitoring", None)  # Python 3.12
    return monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None


def _starting_environment() -> dict[str, str]:
    # os.environ may have been changed since; the allocator read what the process was started with.
    try:
        content = Path("/proc/self/environ").read_bytes()
    except OSError:
        return dict(os.environ)
    entries = (os.fsdecode(entry).partition("=") for entry in content.split(b"\0") if b"=" in entry)
    return {name: value for name, _, value in entries}
