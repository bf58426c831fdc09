"""Tests of the doctor's checks: each sees what is wrong and names the fix."""

import errno
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from openbook import relaunch
from openbook.doctor import CHECKS, Check, hardware, places, run_check, software

DiskUsage = namedtuple("DiskUsage", "total used free")


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs and cache in a folder of their own."""
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_every_check_has_a_name_of_its_own_and_each_failure_a_fix() -> None:
    results = [run_check(check) for check in CHECKS]
    assert len({result.name for result in results}) == len(CHECKS)
    for result in results:
        assert result.found
        assert bool(result.fix) == (result.status != "ok")
        assert set(result.to_dict()) == {"name", "status", "found", "fix"}


def test_check_that_breaks_is_a_failure_not_a_traceback() -> None:
    def check_something_odd() -> Check:
        raise ZeroDivisionError("no idea")

    result = run_check(check_something_odd)
    assert (result.name, result.status) == ("something odd", "fail")
    assert "ZeroDivisionError: no idea" in result.found
    assert result.fix


@pytest.mark.parametrize(
    ("version", "status"), [((3, 10), "fail"), ((3, 11), "ok"), ((3, 13), "ok"), ((3, 14), "warn")]
)
def test_python_versions(monkeypatch: pytest.MonkeyPatch, version: tuple[int, int], status: str) -> None:
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))
    assert software.check_python().status == status


def test_python_of_32_bit_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert "64-bit" in software.check_python().fix


def test_missing_and_outdated_packages_are_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "polars":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0" if name == "keras" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    check = software.check_packages()
    assert check.status == "fail"
    assert "keras 1.0" in check.found
    assert "polars is missing" in check.found
    assert "-m pip install" in check.fix
    assert '"keras<' in check.fix
    assert '"polars<' in check.fix


def test_installed_packages_are_fine() -> None:
    check = software.check_packages()
    assert check.status == "ok", check.found
    assert "jax " in check.found


def test_other_backend_fails_with_the_variable_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    assert software.check_backend().status == "ok"
    monkeypatch.setattr(keras.config, "backend", lambda: "torch")
    check = software.check_backend()
    assert check.status == "fail"
    assert "KERAS_BACKEND=jax" in check.fix


def test_backend_that_cannot_be_loaded_fails_with_the_variable_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    check = software.check_backend()
    assert check.status == "fail"
    assert "tensorflow" in check.found


@pytest.mark.parametrize("problem", ["no module", "no python", "hangs"])
def test_missing_pip_fails_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch, problem: str) -> None:
    def run(command: list[str], **options: Any) -> "subprocess.CompletedProcess[str]":
        if problem == "no python":
            raise FileNotFoundError(errno.ENOENT, "no such file")
        if problem == "hangs":
            raise subprocess.TimeoutExpired(command, 60)
        return subprocess.CompletedProcess(command, 1, stdout="", stderr="…\nNo module named pip\n")

    assert software.check_pip().status == "ok"
    monkeypatch.setattr(subprocess, "run", run)
    check = software.check_pip()
    assert check.status == "fail"
    assert "ensurepip" in check.fix


@pytest.mark.parametrize(("available", "status"), [(8e9, "ok"), (1.5e9, "warn"), (1e8, "fail")])
def test_memory(monkeypatch: pytest.MonkeyPatch, available: float, status: str) -> None:
    monkeypatch.setattr(hardware, "memory_bytes", lambda: (16_000_000_000, int(available)))
    check = hardware.check_memory()
    assert check.status == status
    assert "of 16.0 GB" in check.found


@pytest.mark.parametrize(("free", "status"), [(8e9, "ok"), (1.5e9, "warn"), (1e8, "fail")])
def test_disk_space(monkeypatch: pytest.MonkeyPatch, free: float, status: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: DiskUsage(16_000_000_000, 0, int(free)))
    runs, cache = places.check_runs_folder(), places.check_cache_folder()
    assert runs.status == cache.status == status
    if status != "ok":
        assert "OPENBOOK_RUNS" in runs.fix
        assert "OPENBOOK_CACHE" in cache.fix


def test_folders_that_do_not_exist_yet_are_fine_and_not_made(folders: Path) -> None:
    assert "can be made" in places.check_runs_folder().found
    assert "can be made" in places.check_cache_folder().found
    assert not list(folders.iterdir())


def test_cache_size_is_told_by_folder(folders: Path) -> None:
    for name, size in (("compiled/a", 2_000_000), ("compiled/b/c", 1_000_000), ("data", 5_000)):
        path = folders / "cache" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    assert "holds 3.0 MB (compiled 3.0 MB, data 5.0 kB)" in places.check_cache_folder().found
    assert sorted(path.name for path in (folders / "cache").iterdir()) == ["compiled", "data"]


def test_folder_that_cannot_be_written_fails(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    check = places.check_runs_folder()
    assert check.status == "fail"
    assert "Read-only file system" in check.found
    assert "writable" in check.fix


def test_file_in_place_of_a_folder_fails(folders: Path) -> None:
    (folders / "runs").write_text("")
    check = places.check_runs_folder()
    assert check.status == "fail"
    assert "is a file" in check.found


def test_really_unwritable_folder_fails() -> None:
    if not Path("/proc").is_dir():
        pytest.skip("needs a folder where nobody can write")
    check = places.folder_check(Path("/proc/runs"), name="runs folder", variable="OPENBOOK_RUNS")
    assert check.status == "fail"


def test_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Output:
        def __init__(self, encoding: str | None, is_terminal: bool) -> None:
            self.encoding = encoding
            self.isatty = lambda: is_terminal

    monkeypatch.setenv("COLUMNS", "40")
    for output, status in (
        (Output("utf-8", False), "ok"),
        (Output("UTF8", True), "warn"),
        (Output("cp1252", True), "warn"),
        (Output(None, False), "warn"),
        (None, "warn"),
    ):
        monkeypatch.setattr(sys, "stdout", output)
        check = places.check_terminal()
        assert check.status == status, check
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "stdout", Output("utf-8", True))
    assert places.check_terminal().found == "100 columns, utf-8"


@pytest.mark.parametrize(
    ("kind", "status"), [("set", "ok"), ("settable", "ok"), ("other", "ok"), ("refused", "warn")]
)
def test_malloc_settings(monkeypatch: pytest.MonkeyPatch, kind: Any, status: str) -> None:
    state = relaunch.MallocState(kind=kind, explanation="as it is", settings={})
    monkeypatch.setattr(hardware, "malloc_state", lambda: state)
    monkeypatch.setattr(hardware, "_huge_pages", lambda: "always madvise [never]")
    check = hardware.check_malloc()
    assert check.status == status
    assert ("huge pages are switched off" in check.found) == (kind in ("set", "settable"))


def test_unused_graphics_card_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import jax

    if jax.default_backend() != "cpu":
        pytest.skip("a device is in use")
    monkeypatch.setattr(hardware, "_has_nvidia_card", lambda: True)
    assert "jax[cuda12]" in hardware.check_devices().fix
    monkeypatch.setattr(sys, "platform", "win32")
    assert "WSL" in hardware.check_devices().fix
    monkeypatch.setattr(hardware, "_has_nvidia_card", lambda: False)
    assert hardware.check_devices().status == "ok"


def test_slow_machine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "product_speed", lambda dtype: 3.0)
    check = hardware.check_speed()
    assert check.status == "warn"
    assert "float32 3 GFLOP/s" in check.found
    monkeypatch.setattr(hardware, "product_speed", lambda dtype: 100.0)
    assert hardware.check_speed().status == "ok"


def test_speed_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    import jax.numpy as jnp

    monkeypatch.setattr(hardware, "_MEASURING_S", 0.01)
    for dtype in (jnp.float32, jnp.bfloat16):
        assert 0 < hardware.product_speed(dtype, dim=64) < 1e6
