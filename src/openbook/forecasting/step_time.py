"""How long a program takes on a machine, from operations, bytes and the machine's profile; nothing is run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

from openbook.forecasting.machine_profile import MachineProfile, Speed
from openbook.program.cost import ProgramCost, StepCost
from openbook.program.numpy_run import shapes_of
from openbook.program.primitives.table import Shape
from openbook.program.program import Program

_PRODUCTS = ("dot_general",)
_CONVOLUTIONS = ("conv_general_dilated",)
_SCATTERED = (
    "gather",
    "scatter",
    "scatter-add",
    "scatter_add",
    "dynamic_update_slice",
    "sort",
    "select_and_scatter_add",
)
_TRANSCENDENTAL = (
    *(
        "exp",
        "exp2",
        "expm1",
        "log",
        "log1p",
        "tanh",
        "logistic",
        "erf",
        "erfc",
        "erf_inv",
        "lgamma",
        "digamma",
    ),
    *("sin", "cos", "tan", "sinh", "cosh", "asin", "acos", "atan", "atan2"),
    *("pow", "rsqrt", "cbrt"),
)
# What only renames or reorders elements costs nothing of its own: the compiler reads through it.
_FREE = ("reshape", "broadcast_in_dim", "squeeze", "expand_dims", "iota", "stop_gradient", "copy", "copy_p")
# Of the bytes that single steps would move, the share that is left when the compiler has fused them, where it was
# not asked: of training steps of Transformers, convnets and recurrent nets between 0.35 and 0.6.
_FUSED_SHARE = 0.5
# Of the compiled operations, the share that are kernels of their own.
_KERNEL_SHARE = 0.3
# How far a measured shape tells of another: one octave away counts half as much as the shape itself.
_NEAR_OCTAVES = 1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepTime:
    """Seconds of one execution of a program, by what they go into."""

    products: float
    convolutions: float
    elements: float
    overhead: float

    @property
    def total(self) -> float:
        return self.products + self.convolutions + self.elements + self.overhead


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Contraction:
    shape: tuple[int, ...]
    dtype: str
    operations: float
    bytes_moved: float
    times: int
    kind: str  # "product", "convolution", "inputs" or "kernel": whose gradient it computes


def time_of(
    program: Program, cost: ProgramCost, profile: MachineProfile, *, fused_bytes: float | None = None
) -> StepTime:
    """The time of one execution.

    Args:
        program: as read.
        cost: of this program.
        fused_bytes: bytes that the compiled program moves, by the compiler; guessed from the steps when None.
    """
    contractions = list(_contractions(program, cost))
    products = convolutions = 0.0
    for each in contractions:
        duration_s = _contraction_s(each, profile)
        if each.kind == "product":
            products += duration_s
        else:
            convolutions += duration_s
    elements_s, overhead_s = _elements(cost, contractions, profile, fused_bytes)
    return StepTime(products=products, convolutions=convolutions, elements=elements_s, overhead=overhead_s)


def _contraction_s(each: _Contraction, profile: MachineProfile) -> float:
    if each.kind == "product":
        speeds: Sequence[Speed] = profile.products
    elif each.kind == "convolution":
        speeds = profile.convolutions
    else:
        speeds = profile.convolution_gradients[0 if each.kind == "inputs" else 1]
    rate = gflops(speeds or profile.products, each.shape, each.dtype)
    computing_s = 1e-9 * each.operations / rate
    once_bytes = each.bytes_moved / each.times
    bandwidth = profile.cache_gb_per_s if once_bytes <= profile.cache_bytes else profile.memory_gb_per_s
    # A measured rate has the memory in it; a published one does not.
    moving_s = 0.0 if profile.is_measured else 1e-9 * each.bytes_moved / bandwidth
    overhead_s = profile.kernel_overhead_s if each.times == 1 else profile.loop_overhead_s
    return max(computing_s, moving_s) + each.times * overhead_s


def gflops(speeds: Sequence[Speed], shape: Sequence[int], dtype: str) -> float:
    """Speed of a shape from the measured ones: the mean of logarithms, near shapes first.

    Args:
        speeds: at least one; those of `dtype` are used where there are any.
        shape: (batch, rows, summed, columns).
    """
    known = [speed for speed in speeds if speed.dtype == dtype] or list(speeds)
    weights, logarithms = [], []
    for speed in known:
        octaves = [math.log2(one / other) for one, other in zip(shape, speed.shape, strict=True)]
        # Many small products are, for most of the machine, one larger one.
        distance = octaves[0] ** 2 / 4 + sum(octave**2 for octave in octaves[1:])
        weights.append(1.0 / (_NEAR_OCTAVES + distance) ** 2)
        logarithms.append(math.log(speed.gflops))
    mean = sum(weight * each for weight, each in zip(weights, logarithms, strict=True)) / sum(weights)
    return math.exp(mean)


def _elements(
    cost: ProgramCost,
    contractions: Sequence[_Contraction],
    profile: MachineProfile,
    fused_bytes: float | None,
) -> tuple[float, float]:
    operations = transcendental = scattered = overhead_s = unfused = 0.0
    for each in cost.steps:
        name = each.step.primitive
        if name in (*_PRODUCTS, *_CONVOLUTIONS, *_FREE):
            continue
        moved = each.cost.bytes_read + each.cost.bytes_written
        if name in _SCATTERED:
            scattered += moved
        else:
            unfused += moved
            operations += each.cost.operations
        if name in _TRANSCENDENTAL:
            transcendental += each.cost.operations
        overhead_s += _KERNEL_SHARE * (
            profile.kernel_overhead_s if each.times == 1 else each.times * profile.loop_overhead_s
        )
    if fused_bytes is None:
        moved = _FUSED_SHARE * unfused
    else:
        moved = max(0.1 * unfused, fused_bytes - sum(each.bytes_moved for each in contractions) - scattered)
    bandwidth = profile.cache_gb_per_s if moved <= profile.cache_bytes else profile.memory_gb_per_s
    moving_s = 1e-9 * moved / bandwidth
    computing_s = 1e-9 * operations / profile.element_gops
    elements_s = max(moving_s, computing_s) + 1e-9 * transcendental / profile.transcendental_gops
    return elements_s + 1e-9 * scattered / profile.scattered_gb_per_s, overhead_s + profile.step_overhead_s


def _contractions(program: Program, cost: ProgramCost) -> Iterator[_Contraction]:
    for each in cost.steps:
        if each.step.primitive not in (*_PRODUCTS, *_CONVOLUTIONS):
            continue
        operands = shapes_of(program, each.step.inputs)
        results = shapes_of(program, each.step.outputs)
        is_product = each.step.primitive in _PRODUCTS
        shape, kind = (
            _product_shape(each, operands) if is_product else _convolution_shape(each, operands, results)
        )
        yield _Contraction(
            shape=tuple(max(1, size) for size in shape),
            dtype=str(operands[0].dtype),
            operations=each.cost.operations,
            bytes_moved=each.cost.bytes_read + each.cost.bytes_written,
            times=each.times,
            kind=kind,
        )


def _product_shape(each: StepCost, operands: Sequence[Shape]) -> tuple[tuple[int, ...], str]:
    (left_summed, right_summed), (left_batch, right_batch) = each.step.params["dimension_numbers"]
    left, right = (operand.shape for operand in operands)
    batch = math.prod(left[axis] for axis in left_batch)
    summed = math.prod(left[axis] for axis in left_summed)
    rows = math.prod(size for axis, size in enumerate(left) if axis not in (*left_summed, *left_batch))
    columns = math.prod(size for axis, size in enumerate(right) if axis not in (*right_summed, *right_batch))
    return (batch, rows, summed, columns), "product"


def _convolution_shape(
    each: StepCost, operands: Sequence[Shape], results: Sequence[Shape]
) -> tuple[tuple[int, ...], str]:
    """As a product: places of the result × summed elements × channels of the result."""
    params = each.step.params
    channels_out = results[0].shape[params["dimension_numbers"].out_spec[1]]
    rows = results[0].num_elements // max(1, channels_out)
    summed = max(1, round(each.cost.operations / each.times / 2 / max(1, results[0].num_elements)))
    numbers = params["dimension_numbers"]
    # Transposed by JAX's rule, the gradient of a kernel takes the channels as a batch and sums over the images.
    if numbers.lhs_spec[0] > numbers.lhs_spec[1]:
        return (1, summed, rows, channels_out), "kernel"
    if numbers.rhs_spec[0] < numbers.rhs_spec[1] or any(dilation > 1 for dilation in params["lhs_dilation"]):
        return (1, rows, summed, channels_out), "inputs"
    return (1, rows, summed, channels_out), "convolution"
