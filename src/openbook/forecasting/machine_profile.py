"""A machine as the forecast sees it: a small file of speeds, measured here, imported, or published."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openbook.errors import UsageError
from openbook.runs.atomic import atomic_write

SCHEMA_VERSION = 1
# How a profile's numbers came about.
ORIGINS = ("measured", "published")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast one shape of a contraction is.

    Attributes:
        dtype: of the operands, such as "float32"; sums and result are float32.
        shape: of a matrix product (batch, rows, summed, columns); of a convolution (images, height × width of the
            result, height × width of the kernel, channels in, channels out).
        gflops: 10⁹ operations per second, a multiply-add counted as two.
    """

    dtype: str
    shape: tuple[int, ...]
    gflops: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class MachineProfile:
    """Speeds of one machine.

    Attributes:
        name: what a person calls it.
        origin: one of `ORIGINS`; published figures were not measured by openbook.
        source: where published figures come from; empty for measured ones.
        identity: what must be the same for the figures to hold, such as processor and number of threads.
        products, convolutions: speeds by shape and dtype.
        convolution_gradients: the same, of the two convolutions of the backward pass: of (inputs, kernel).
        memory_gb_per_s: bytes read and written by an element-wise pass over arrays much larger than the caches.
        cache_gb_per_s: the same, over arrays that fit into the caches.
        cache_bytes: size up to which arrays go at that speed.
        element_gops: simple operations on elements, 10⁹ per second.
        transcendental_gops: exponentials, tanh and their like, 10⁹ per second.
        scattered_gb_per_s: rows gathered from and added to a table, bytes per second.
        kernel_overhead_s: of one compiled operation inside a program.
        loop_overhead_s: of one operation inside a loop over time.
        step_overhead_s: of calling a compiled program and reading its loss.
        compile_s: seconds to compile one primitive operation of a program that repeats itself.
        memory_bytes: what a program can use.
        process_bytes: what Python and the libraries hold before any model is built; 0 on an accelerator.
        program_bytes: what the compiler keeps of one primitive operation, in the process.
        disk_gb_per_s: writing a file and making sure that it is on the disk.
        created: when it was measured, in UTC, ISO form.
    """

    name: str
    origin: str
    source: str = ""
    identity: Mapping[str, Any]
    products: tuple[Speed, ...]
    convolutions: tuple[Speed, ...]
    convolution_gradients: tuple[tuple[Speed, ...], tuple[Speed, ...]]
    memory_gb_per_s: float
    cache_gb_per_s: float
    cache_bytes: int
    element_gops: float
    transcendental_gops: float
    scattered_gb_per_s: float
    kernel_overhead_s: float
    loop_overhead_s: float
    step_overhead_s: float
    compile_s: float
    memory_bytes: int
    process_bytes: int
    program_bytes: float
    disk_gb_per_s: float
    created: str = ""

    @property
    def is_measured(self) -> bool:
        return self.origin == "measured"

    def to_json(self) -> str:
        """The profile as text, for a file."""
        return json.dumps({"schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}, indent=1) + "\n"

    def save(self, path: Path) -> None:
        """Write it, at once or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, self.to_json())


def now() -> str:
    """This moment, as `MachineProfile.created` has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def load_profile(path: Path) -> MachineProfile:
    """Read a profile from a file.

    Raises:
        UsageError: it cannot be read, is no profile, or was written by a newer openbook.
    """
    try:
        return parse_profile(path.read_text(encoding="utf-8"), origin=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: expected the profile of a machine, but it cannot be read "
            f"({getattr(error, 'strerror', None) or error}). Make one with: openbook profile export FILE"
        ) from error


def parse_profile(text: str, *, origin: str) -> MachineProfile:
    """A profile from its text; every number must be finite and above zero where zero makes no sense.

    Raises:
        UsageError: as `load_profile`.
    """
    again = "Export it again on its machine: openbook profile export FILE"
    try:
        content = json.loads(text)
    except ValueError as error:
        raise UsageError(
            f"{origin}: expected the profile of a machine in JSON, but {error}. {again}"
        ) from error
    if not isinstance(content, dict):
        raise UsageError(
            f"{origin}: expected the profile of a machine, got {type(content).__name__}. {again}"
        )
    version = content.pop("schema_version", None)
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"{origin}: expected a profile with schema_version {SCHEMA_VERSION}, got {version!r}. "
            f"It is no profile, or another version of openbook wrote it. {again}"
        )
    fields = {field.name: field for field in dataclasses.fields(MachineProfile)}
    optional = {name for name, field in fields.items() if field.default is not dataclasses.MISSING}
    missing, unknown = set(fields) - set(content) - optional, set(content) - set(fields)
    if missing or unknown:
        what = [f"{', '.join(sorted(missing))} missing"] if missing else []
        what += [f"{', '.join(sorted(unknown))} unknown"] if unknown else []
        raise UsageError(f"{origin}: is no profile of this version: {' and '.join(what)}. {again}")
    try:
        return _checked(MachineProfile(**{**content, **_speeds(content)}))
    except (TypeError, ValueError, KeyError) as error:
        raise UsageError(f"{origin}: holds a profile that makes no sense ({error}). {again}") from error


def _speeds(content: Mapping[str, Any]) -> dict[str, Any]:
    def read(entries: Sequence[Mapping[str, Any]]) -> tuple[Speed, ...]:
        return tuple(
            Speed(
                dtype=str(entry["dtype"]),
                shape=tuple(int(size) for size in entry["shape"]),
                gflops=float(entry["gflops"]),
            )
            for entry in entries
        )

    of_inputs, of_kernels = content["convolution_gradients"]
    return {
        "products": read(content["products"]),
        "convolutions": read(content["convolutions"]),
        "convolution_gradients": (read(of_inputs), read(of_kernels)),
    }


def _checked(profile: MachineProfile) -> MachineProfile:
    if profile.origin not in ORIGINS:
        raise ValueError(f"expected an origin of {', '.join(ORIGINS)}, got {profile.origin!r}")
    if not isinstance(profile.name, str) or not profile.name.strip():
        raise ValueError(f"expected a name, got {profile.name!r}")
    if not isinstance(profile.identity, dict):
        raise ValueError(f"expected an object as identity, got {profile.identity!r}")
    if not profile.products:
        raise ValueError("expected speeds of matrix products, got none")
    speeds = [
        *profile.products,
        *profile.convolutions,
        *(each for part in profile.convolution_gradients for each in part),
    ]
    for speed in speeds:
        if not 0.0 < speed.gflops < math.inf or len(speed.shape) != 4 or min(speed.shape) < 1:
            raise ValueError(f"expected a speed above zero, got {speed}")
    may_be_zero = {
        "process_bytes",
        "program_bytes",
        "kernel_overhead_s",
        "loop_overhead_s",
        "step_overhead_s",
    }
    for field in dataclasses.fields(profile):
        value = getattr(profile, field.name)
        if field.type in ("float", "int"):
            is_number = (
                isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            )
            if not is_number or value < 0 or (value == 0 and field.name not in may_be_zero):
                raise ValueError(f"expected {field.name} to be a number above zero, got {value!r}")
    return profile
