"""Cases, sources and hand-counted costs of convolutions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from openbook.program.cost import cost_of
from openbook.program.primitives.cases_test import Case
from openbook.program.primitives.convolution import convolve
from openbook.program.primitives.table import Element, Shape, primitives
from openbook.program.program import program_of

_RNG = np.random.default_rng(31)
IMAGES = ("NHWC", "HWIO", "NHWC")


def _array(*shape: int) -> np.ndarray:
    return _RNG.normal(size=shape).astype(np.float32)


def _conv(**settings):
    settings = {"window_strides": (1, 1), "padding": "SAME", "dimension_numbers": IMAGES} | settings
    return lambda x, kernel: lax.conv_general_dilated(x, kernel, **settings)


def _with_gradient(function):
    """The function, and its gradients along something that is not constant."""

    def both(x, kernel):
        result = function(x, kernel)
        gradients = jax.grad(lambda *each: jnp.sin(function(*each)).sum(), argnums=(0, 1))(x, kernel)
        return result, gradients

    return both


def _case(label: str, function, x: np.ndarray, kernel: np.ndarray) -> Case:
    return Case(label=label, function=_with_gradient(function), arguments=(x, kernel))


CASES = (
    Case(label="plain", function=_conv(), arguments=(_array(1, 4, 3, 2), _array(3, 3, 2, 2)), gradient=True),
    _case("strided", _conv(window_strides=(2, 3)), _array(2, 5, 4, 2), _array(3, 2, 2, 3)),
    _case("valid", _conv(padding="VALID"), _array(2, 5, 4, 2), _array(3, 2, 2, 3)),
    _case(
        "dilated", _conv(rhs_dilation=(2, 1), window_strides=(1, 2)), _array(1, 6, 4, 2), _array(2, 2, 2, 3)
    ),
    _case("grouped", _conv(feature_group_count=2), _array(1, 4, 3, 4), _array(2, 3, 2, 4)),
    _case(
        "depthwise",
        _conv(feature_group_count=3, window_strides=(2, 2)),
        _array(1, 5, 4, 3),
        _array(3, 3, 1, 6),
    ),
    _case("batch-groups", _conv(batch_group_count=2), _array(4, 3, 3, 2), _array(2, 2, 2, 4)),
    _case(
        "transposed",
        _conv(lhs_dilation=(2, 3), padding=((1, 2), (-1, 3))),
        _array(1, 3, 3, 2),
        _array(3, 2, 2, 2),
    ),
    _case(
        "causal",
        _conv(window_strides=(1,), padding=((2, 0),), dimension_numbers=("NWC", "WIO", "NWC")),
        _array(2, 5, 2),
        _array(3, 2, 3),
    ),
    _case(
        "volumes",
        _conv(window_strides=(1, 2, 1), dimension_numbers=("NDHWC", "DHWIO", "NDHWC")),
        _array(1, 3, 4, 2, 2),
        _array(2, 3, 2, 2, 2),
    ),
    _case(
        "channels-first",
        _conv(dimension_numbers=("NCHW", "OIHW", "NCHW")),
        _array(1, 2, 4, 3),
        _array(3, 2, 3, 2),
    ),
    Case(
        label="only-padding",
        function=_conv(padding=((3, 3), (0, 0))),
        arguments=(_array(1, 2, 2, 1), _array(2, 2, 1, 1)),
    ),
    Case(
        label="no-places", function=_conv(padding="VALID"), arguments=(_array(1, 2, 2, 1), _array(3, 2, 1, 1))
    ),
    Case(
        label="bfloat16",
        function=_conv(),
        arguments=(_array(1, 3, 3, 2).astype(jnp.bfloat16), _array(2, 2, 2, 2).astype(jnp.bfloat16)),
    ),
)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_convolution_agrees_with_jax(data):
    integers = lambda low, high: data.draw(st.integers(low, high))  # noqa: E731
    groups, per_group, filters = integers(1, 3), integers(1, 2), integers(1, 2)
    of_batch = data.draw(st.booleans())
    sizes = (integers(1, 6), integers(1, 5))
    window = (integers(1, 3), integers(1, 3))
    options = {
        "stride": (integers(1, 3), integers(1, 3)),
        "padding": ((integers(-1, 2), integers(0, 2)), (integers(0, 2), integers(-1, 2))),
        "dilation": (integers(1, 2), integers(1, 2)),
        "spread": (integers(1, 2), integers(1, 2)),
    }
    rng = np.random.default_rng(integers(0, 100))
    batch, channels = (groups, per_group) if of_batch else (1, groups * per_group)
    x = rng.normal(size=(batch, *sizes, channels)).astype(np.float32)
    kernel = rng.normal(size=(*window, per_group, groups * filters)).astype(np.float32)
    reach = [(length - 1) * apart + 1 for length, apart in zip(window, options["dilation"], strict=True)]
    spread = [(size - 1) * apart + 1 for size, apart in zip(sizes, options["spread"], strict=True)]
    whole = [size + sum(ends) for size, ends in zip(spread, options["padding"], strict=True)]
    if any(length > size for length, size in zip(reach, whole, strict=True)):
        return

    ours = convolve(
        x,
        kernel,
        **options,
        groups=1 if of_batch else groups,
        batch_groups=groups if of_batch else 1,
    )

    theirs = lax.conv_general_dilated(
        x,
        kernel,
        window_strides=options["stride"],
        padding=options["padding"],
        lhs_dilation=options["spread"],
        rhs_dilation=options["dilation"],
        dimension_numbers=IMAGES,
        feature_group_count=1 if of_batch else groups,
        batch_group_count=groups if of_batch else 1,
    )
    # Sums of at most 18 products, in another order.
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_transposed_convolution_is_the_adjoint():
    x, kernel = _array(1, 6, 5, 2).astype(float), _array(3, 3, 2, 4).astype(float)
    forward = convolve(x, kernel, stride=(2, 2), padding=((1, 1), (1, 1)))
    probe = _RNG.normal(size=forward.shape)

    back = convolve(
        probe,
        kernel[::-1, ::-1].swapaxes(-1, -2),
        stride=(1, 1),
        padding=((1, 2), (1, 1)),
        spread=(2, 2),
    )

    assert np.isclose((forward * probe).sum(), (x * back).sum(), rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "x", "kernel", "operations"),
    [
        # Places × filters × window × channels, each a multiplication and an addition; padding is counted.
        ({}, (8, 28, 28, 3), (3, 3, 3, 16), 2 * (8 * 28 * 28) * 16 * (3 * 3) * 3),
        ({"window_strides": (2, 2)}, (1, 28, 28, 3), (3, 3, 3, 16), 2 * (14 * 14) * 16 * 9 * 3),
        ({"feature_group_count": 8}, (1, 10, 10, 8), (3, 3, 1, 8), 2 * (10 * 10) * 8 * 9),
        # A transposed convolution with a window as large as its stride: each element once for each place there.
        (
            {"lhs_dilation": (2, 2), "padding": ((1, 1), (1, 1))},
            (1, 5, 5, 4),
            (2, 2, 4, 6),
            2 * (5 * 5) * 6 * (2 * 2) * 4,
        ),
    ],
)
def test_operations_are_those_counted_by_hand(settings, x, kernel, operations):
    program = program_of(_conv(**settings), np.zeros(x, np.float32), np.zeros(kernel, np.float32))

    assert cost_of(program).operations == operations


def test_explanation_leaves_the_padding_out():
    x, kernel = _array(1, 56, 56, 64), _array(3, 3, 64, 8)
    program = program_of(_conv(), x, kernel)
    [step] = program.steps
    result = Shape(shape=(1, 56, 56, 8), dtype=x.dtype)

    def explained(index):
        element = Element(params=step.params, operands=(x, kernel), results=(result,), output=0, index=index)
        return primitives()["conv_general_dilated"].explain(element)

    corner, middle = explained((0, 0, 0, 5)), explained((0, 20, 30, 5))

    assert len(corner.factors[0].indices) == 2 * 2 * 64
    assert len(middle.factors[0].indices) == 3 * 3 * 64
    assert middle.factors[0].indices.min(axis=0).tolist() == [0, 19, 29, 0]
    assert middle.factors[0].indices.max(axis=0).tolist() == [0, 21, 31, 63]
