"""Tests of restarting with the allocator's settings, with real processes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openbook import relaunch
from openbook.relaunch import MALLOC_VARIABLES, malloc_state, relaunch_with_malloc_settings

is_glibc_linux = sys.platform == "linux" and relaunch._is_glibc()
pytestmark = pytest.mark.skipif(not is_glibc_linux, reason="the settings are glibc's")

NAMES = ("GLIBC_TUNABLES", "OPENBOOK_RELAUNCHED", "OPENBOOK_NO_RELAUNCH", "LD_PRELOAD", *MALLOC_VARIABLES)
# Says how often it was started, with what, and what it found.
PROGRAM = """
import importlib.util, json, os, sys
spec = importlib.util.spec_from_file_location("relaunch_copy", {path!r})
relaunch = importlib.util.module_from_spec(spec)
sys.modules["relaunch_copy"] = relaunch
spec.loader.exec_module(relaunch)
print("start", flush=False)
relaunch.relaunch_with_malloc_settings()
print(json.dumps({{
    "arguments": sys.argv[1:],
    "options": [sys.flags.dev_mode, sys.flags.utf8_mode],
    "environment": {{name: os.environ.get(name) for name in {names!r}}},
    "kind": relaunch.malloc_state().kind,
    "process": os.getpid(),
    "input": sys.stdin.read(),
}}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the program as the script `openbook` and as the package `openbook`."""
    content = PROGRAM.format(path=relaunch.__file__, names=NAMES)
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "openbook"
    script.write_text(f"#!{sys.executable}\n{content}")
    script.chmod(0o755)
    package = tmp_path / "package" / "openbook"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(content)
    shutil.copy(script, tmp_path / "bin" / "other")
    return tmp_path


def start(command: list[str], folder: Path, **environment: str) -> tuple[int, dict[str, Any]]:
    """Number of starts and what the last one said."""
    clean = {name: value for name, value in os.environ.items() if name not in NAMES}
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**clean, "PYTHONPATH": str(folder / "package"), **environment},
    )
    output, _ = process.communicate("some input")
    assert process.returncode == 0
    *starts, said = output.splitlines()
    found = json.loads(said)
    assert found["process"] == process.pid  # replaced, not a child: signals and exit codes stay right
    assert found["input"] == "some input"
    return len(starts), found


@pytest.mark.parametrize(
    "command",
    [
        ["bin/openbook"],
        [sys.executable, "bin/openbook"],
        [sys.executable, "-m", "openbook"],
        [sys.executable, "-mopenbook"],
        [sys.executable, "-X", "dev", "-X", "utf8", "-m", "openbook"],
    ],
)
def test_command_starts_itself_once_more_with_the_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(folder)
    arguments = ["train", "text-generator", "--data", "my texts/ü.txt", ""]
    num_starts, found = start([*command, *arguments], folder)
    assert num_starts == 2
    assert found["arguments"] == arguments
    assert found["kind"] == "set"
    assert found["environment"]["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
    assert {name: found["environment"][name] for name in MALLOC_VARIABLES} == MALLOC_VARIABLES
    assert found["options"] == [True, 1] if "dev" in command else [False, found["options"][1]]


def test_values_of_the_user_stay(folder: Path) -> None:
    num_starts, found = start(
        [str(folder / "bin" / "openbook")],
        folder,
        GLIBC_TUNABLES="glibc.malloc.top_pad=4096:glibc.malloc.check=1",
        MALLOC_MMAP_MAX_="7",
    )
    assert num_starts == 2
    assert found["environment"]["GLIBC_TUNABLES"] == (
        "glibc.malloc.top_pad=4096:glibc.malloc.check=1:glibc.malloc.hugetlb=1"
    )
    assert found["environment"]["MALLOC_MMAP_MAX_"] == "7"
    assert found["environment"]["MALLOC_TOP_PAD_"] is None
    assert found["environment"]["MALLOC_TRIM_THRESHOLD_"] == "100000000000"


def test_nothing_to_set_means_no_second_start(folder: Path) -> None:
    settings = {**MALLOC_VARIABLES, "GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}
    num_starts, found = start([str(folder / "bin" / "openbook")], folder, **settings)
    assert num_starts == 1
    assert found["kind"] == "set"
    assert found["environment"]["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=0"


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({"OPENBOOK_NO_RELAUNCH": "1"}, "refused"),
        ({"OPENBOOK_RELAUNCHED": "1"}, "settable"),
    ],
)
def test_user_and_guard_can_forbid_it(folder: Path, environment: dict[str, str], kind: str) -> None:
    num_starts, found = start([str(folder / "bin" / "openbook")], folder, **environment)
    assert num_starts == 1
    assert found["kind"] == kind
    assert found["environment"]["GLIBC_TUNABLES"] is None


def test_refusal_of_zero_is_none(folder: Path) -> None:
    assert start([str(folder / "bin" / "openbook")], folder, OPENBOOK_NO_RELAUNCH="0")[0] == 2


def test_another_program_that_uses_openbook_is_left_alone(folder: Path) -> None:
    assert start([str(folder / "bin" / "other"), "train"], folder)[0] == 1
    program = (folder / "bin" / "openbook").read_text()
    assert start([sys.executable, "-c", program, "train"], folder)[0] == 1


def test_debugger_is_left_alone(folder: Path) -> None:
    script = folder / "bin" / "openbook"
    script.write_text(
        script.read_text().replace(
            "relaunch.relaunch_with", "sys.settrace(print and (lambda *a: None)); relaunch.relaunch_with"
        )
    )
    assert start([str(script)], folder)[0] == 1


def test_call_inside_a_test_or_notebook_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBOOK_NO_RELAUNCH", raising=False)
    monkeypatch.delenv("OPENBOOK_RELAUNCHED", raising=False)
    monkeypatch.setattr(sys, "argv", ["openbook", "train"])
    monkeypatch.setattr(os, "execve", lambda *arguments: pytest.fail("replaced the test"))
    relaunch_with_malloc_settings()
    relaunch_with_malloc_settings(["openbook"])
    relaunch_with_malloc_settings(["/usr/bin/openbook", *sys.orig_argv[1:]])
    relaunch_with_malloc_settings([])


def as_if_started(monkeypatch: pytest.MonkeyPatch, execve: Any) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["/bin/openbook", "train"])
    monkeypatch.setattr(sys, "orig_argv", ["python", "/bin/openbook", "train"])
    monkeypatch.setattr(relaunch, "_is_debugged", lambda: False)
    monkeypatch.setattr(os, "execve", execve)


def test_failing_start_goes_on_without_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def refuse(*arguments: object) -> None:
        calls.append(arguments)
        raise OSError("argument list too long")

    as_if_started(monkeypatch, refuse)
    relaunch_with_malloc_settings()
    assert calls[0][:2] == (sys.executable, [sys.executable, "/bin/openbook", "train"])
    assert "GLIBC_TUNABLES" not in os.environ


@pytest.mark.parametrize("system", ["musl", "darwin", "preload"])
def test_other_systems_and_allocators_are_left_alone(monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    as_if_started(monkeypatch, lambda *arguments: pytest.fail("started again"))
    if system == "musl":

        def unknown(name: str) -> str:
            raise ValueError("unrecognized configuration name")

        monkeypatch.setattr(os, "confstr", unknown)
    elif system == "darwin":
        monkeypatch.setattr(sys, "platform", "darwin")
    else:
        monkeypatch.setenv("LD_PRELOAD", "/usr/lib/libtcmalloc.so.4")
    relaunch_with_malloc_settings()
    state = malloc_state()
    assert state.kind == "other"
    assert state.explanation
