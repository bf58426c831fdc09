"""Measures this machine's profile: a few dozen small programs, compiled and timed, in less than ten seconds."""

# Shapes of a product: (batch, rows, summed, columns).

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openbook.forecasting.machine_profile import MachineProfile, Speed, now
from openbook.runs.machine import memory_bytes, processor_name, resident_bytes, usable_cores

# Thin, square and large; each side of a product is short somewhere.
_PRODUCT_SHAPES = {
    "float32": (
        (1, 64, 64, 64),
        (1, 1024, 128, 128),
        (1, 1024, 512, 128),
        (1, 1024, 128, 2048),
        (1, 128, 1024, 128),
        (1, 128, 1024, 1024),
        (1, 2048, 512, 1024),
        (16, 128, 64, 128),
        (128, 64, 32, 64),
    ),
    "bfloat16": (
        (1, 64, 64, 64),
        (1, 128, 1024, 128),
        (1, 1024, 128, 128),
        (1, 1024, 512, 128),
        (1, 1024, 128, 2048),
        (1, 2048, 512, 1024),
        (16, 128, 64, 128),
    ),
}
# (images, side of the picture, side of the kernel, channels in, channels out)
_CONVOLUTION_SHAPES = ((16, 28, 3, 1, 32), (16, 28, 3, 32, 64), (8, 14, 3, 64, 128))
_SMALL_BYTES, _LARGE_BYTES = 1 << 20, 64 << 20
_NUM_TIMINGS = 5
# Until the memory of the results has been touched, a pass over large arrays waits for the system to hand it out.
_NUM_WARM_UPS = 3
# Now and then the system hands out memory that is slow for as long as it is held: other memory is tried.
_NUM_PLACES = 4
_LONGEST_TIMING_S = 0.05
_NUM_CHAINED = 64
_NUM_LOOPS = 200
_CACHE_SETTING = "jax_enable_compilation_cache"


def identity() -> dict[str, Any]:
    """What must stay the same for a measured profile to hold."""
    import jax

    from openbook.relaunch import malloc_state

    flags = " ".join(sorted(os.environ.get("XLA_FLAGS", "").split()))
    return {
        "processor": processor_name(),
        "num_cores": usable_cores(),
        "devices": [device.device_kind for device in jax.devices()],
        "jax": jax.__version__,
        "malloc": malloc_state().kind,
        "xla_flags": flags,
    }


def measure(*, name: str = "this machine") -> MachineProfile:
    """Time this machine; nothing else should run meanwhile.

    Raises:
        OSError: no temporary file can be written.
    """
    # A compilation that is read from disk says nothing about compiling.
    with _without_compilation_cache():
        return _measure(name)


def _measure(name: str) -> MachineProfile:
    compile_s, program_bytes = _compiling()
    conv = [_convolution_speeds(shape) for shape in _CONVOLUTION_SHAPES]
    small, large = _bandwidth(_SMALL_BYTES), _bandwidth(_LARGE_BYTES)
    overhead_s = _step_overhead_s()
    return MachineProfile(
        name=name,
        origin="measured",
        identity=identity(),
        products=tuple(
            _product_speed(shape, dtype) for dtype, shapes in _PRODUCT_SHAPES.items() for shape in shapes
        ),
        convolutions=tuple(each[0] for each in conv),
        convolution_gradients=(tuple(each[1] for each in conv), tuple(each[2] for each in conv)),
        memory_gb_per_s=large,
        cache_gb_per_s=max(small, large),
        cache_bytes=8 << 20,
        element_gops=_element_gops(),
        transcendental_gops=_transcendental_gops(),
        scattered_gb_per_s=_scattered_gb_per_s(),
        kernel_overhead_s=_kernel_overhead_s(overhead_s),
        loop_overhead_s=_loop_overhead_s(),
        step_overhead_s=overhead_s,
        compile_s=compile_s,
        memory_bytes=_device_memory_bytes(),
        process_bytes=_process_bytes(),
        program_bytes=program_bytes,
        disk_gb_per_s=_disk_gb_per_s(),
        created=now(),
    )


def _product_speed(shape: tuple[int, ...], dtype: str) -> Speed:
    import jax
    import jax.numpy as jnp

    batch, rows, summed, columns = shape
    left, right = jnp.full((batch, rows, summed), 0.5, dtype), jnp.full((batch, summed, columns), 0.5, dtype)
    if batch == 1:
        left, right = left[0], right[0]
    multiply = jax.jit(lambda a, b: jnp.matmul(a, b, preferred_element_type=jnp.float32))
    return Speed(
        dtype=dtype, shape=shape, gflops=2e-9 * batch * rows * summed * columns / _time(multiply, left, right)
    )


def _convolution_speeds(shape: tuple[int, ...]) -> tuple[Speed, Speed, Speed]:
    """Of the convolution and of its gradients by the inputs and by the kernel, as shapes of products."""
    import jax
    import jax.numpy as jnp

    images, side, kernel_side, channels_in, channels_out = shape
    inputs = jnp.full((images, side, side, channels_in), 0.5)
    kernel = jnp.full((kernel_side, kernel_side, channels_in, channels_out), 0.5)

    def convolve(inputs: Any, kernel: Any) -> Any:
        return jax.lax.conv_general_dilated(
            inputs, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    result, back = jax.vjp(convolve, inputs, kernel)
    durations = (
        _time(jax.jit(convolve), inputs, kernel),
        _time(jax.jit(lambda gradient: back(gradient)[0]), result),
        _time(jax.jit(lambda gradient: back(gradient)[1]), result),
    )
    as_product = (1, images * side * side, kernel_side**2 * channels_in, channels_out)
    operations = 2e-9 * images * side**2 * kernel_side**2 * channels_in * channels_out
    forward, of_inputs, of_kernel = (
        Speed(dtype="float32", shape=as_product, gflops=operations / duration_s) for duration_s in durations
    )
    return forward, of_inputs, of_kernel


def _bandwidth(size_bytes: int) -> float:
    """GB/s read and written by an element-wise pass."""
    import jax
    import jax.numpy as jnp

    add = jax.jit(lambda a, b: 0.9 * a + b)
    durations_s = []
    for _ in range(_NUM_PLACES):
        values = jnp.full((size_bytes // 4,), 0.5)
        durations_s += _times(add, values, values + 1.0)
    return 3e-9 * size_bytes / min(durations_s)


def _element_gops() -> float:
    import jax
    import jax.numpy as jnp

    num_operations = 48

    def compute(values: Any) -> Any:
        other = values
        for _ in range(num_operations // 2):
            other = other * values + 0.25
        return other

    values = jnp.full((1 << 18,), 0.5)
    return 1e-9 * num_operations * values.size / _time(jax.jit(compute), values)


def _transcendental_gops() -> float:
    import jax
    import jax.numpy as jnp

    values = jnp.linspace(-1.0, 1.0, 1 << 18)
    functions = (jnp.exp, jnp.tanh, lambda each: jax.lax.rsqrt(each + 2.0))
    durations_s = [_time(jax.jit(function), values) for function in functions]
    return 1e-9 * values.size / statistics.mean(durations_s)


def _scattered_gb_per_s() -> float:
    """Rows looked up in a table and added back to it, as an embedding and its gradient do."""
    import jax
    import jax.numpy as jnp

    table, places = jnp.full((4096, 128), 0.5), (jnp.arange(2048) * 1009) % 4096

    def look_up_and_add(table: Any, places: Any) -> Any:
        return jnp.zeros_like(table).at[places].add(table[places])

    moved = 4.0 * places.size * table.shape[1] * 5 + 4.0 * table.size
    return 1e-9 * moved / _time(jax.jit(look_up_and_add), table, places)


def _step_overhead_s() -> float:
    import jax
    import jax.numpy as jnp

    state = [jnp.ones((8,)) for _ in range(64)]
    step = jax.jit(lambda arrays: [array + 1.0 for array in arrays])

    def call(arrays: Any) -> Any:
        arrays = step(arrays)
        float(arrays[0][0])
        return arrays

    return _time(call, state)


def _kernel_overhead_s(overhead_s: float) -> float:
    """Of one operation too small to take time: a chain of products of 8 × 8."""
    import jax
    import jax.numpy as jnp

    values = jnp.eye(8)

    def chain(values: Any) -> Any:
        for _ in range(_NUM_CHAINED):
            values = jnp.sin(values @ values)
        return values

    return max(1e-7, (_time(jax.jit(chain), values) - overhead_s / 10) / (2 * _NUM_CHAINED))


def _loop_overhead_s() -> float:
    import jax
    import jax.numpy as jnp

    values = jnp.eye(8)

    def body(values: Any, _: Any) -> tuple[Any, None]:
        return jnp.sin(values @ values), None

    loop = jax.jit(lambda values: jax.lax.scan(body, values, None, length=_NUM_LOOPS)[0])
    return _time(loop, values) / (2 * _NUM_LOOPS)


def _compiling() -> tuple[float, float]:
    """Seconds to compile, and bytes that stay in the process, for one primitive operation of a program."""
    import jax
    import jax.numpy as jnp

    from openbook.program.program import program_of

    def loss(weights: Any, inputs: Any) -> Any:
        for matrix in weights:
            normal = inputs / jnp.sqrt(jnp.mean(jnp.square(inputs), axis=-1, keepdims=True) + 1e-6)
            inputs = inputs + jax.nn.softmax(normal @ matrix) @ matrix.T
        return jnp.sum(jnp.square(inputs))

    weights, inputs = [jnp.full((64, 96), 0.1) for _ in range(12)], jnp.full((32, 64), 0.5)
    gradient = jax.value_and_grad(loss)
    num_steps = len(program_of(gradient, weights, inputs).steps)
    # The first compilation of a process also makes the compiler ready.
    jax.jit(gradient).lower(weights[:1], inputs).compile()
    before_bytes = resident_bytes()
    begin_s = time.perf_counter()
    jax.jit(gradient).lower(weights, inputs).compile()
    duration_s = time.perf_counter() - begin_s
    return duration_s / num_steps, max(0, resident_bytes() - before_bytes) / num_steps


def _device_memory_bytes() -> int:
    import jax

    limit = (jax.devices()[0].memory_stats() or {}).get("bytes_limit")
    return int(limit) if limit else memory_bytes()[0]


def _process_bytes() -> int:
    import jax

    return 0 if jax.default_backend() != "cpu" else resident_bytes()


def _disk_gb_per_s() -> float:
    content = bytes(32 << 20)
    with tempfile.TemporaryDirectory(prefix="openbook-") as folder:
        path = Path(folder) / "speed"
        begin_s = time.perf_counter()
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return 1e-9 * len(content) / max(1e-6, time.perf_counter() - begin_s)


def _time(function: Callable[..., Any], *arguments: Any) -> float:
    """Seconds of one call: the shortest of a few, for what disturbs a call only makes it longer."""
    return max(1e-9, min(_times(function, *arguments)))


def _times(function: Callable[..., Any], *arguments: Any) -> list[float]:
    """Seconds of a few calls; the first ones, which compile and take memory, are not counted."""
    import jax

    for _ in range(_NUM_WARM_UPS):
        jax.block_until_ready(function(*arguments))
    durations_s: list[float] = []
    end_s = time.perf_counter() + _LONGEST_TIMING_S
    while len(durations_s) < 3 or (len(durations_s) < _NUM_TIMINGS and time.perf_counter() < end_s):
        begin_s = time.perf_counter()
        jax.block_until_ready(function(*arguments))
        durations_s.append(time.perf_counter() - begin_s)
    return durations_s


class _without_compilation_cache:  # noqa: N801 - reads as a condition in `with`
    """Programs are compiled, not read from the disk."""

    def __enter__(self) -> None:
        import jax

        self._was_enabled = getattr(jax.config, _CACHE_SETTING)
        jax.config.update(_CACHE_SETTING, False)

    def __exit__(self, *exception: object) -> None:
        import jax

        jax.config.update(_CACHE_SETTING, self._was_enabled)
