"""Cases and properties of conversions, and of steps that hand their operand on."""

from __future__ import annotations

import warnings

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax
from jax._src.lax.lax import tie_p
from jax.ad_checkpoint import checkpoint_name
from jax.experimental.layout import Layout, with_layout_constraint
from jax.sharding import PartitionSpec

from openbook.program.primitives import checking_test as checking
from openbook.program.primitives.cases_test import Case

_RNG = np.random.default_rng(23)
X = _RNG.normal(size=(3, 4)).astype(np.float32)
FLOATS = np.array(
    [0.0, 0.5, -0.5, 1.5, -1.5, 300.7, -300.7, 1e10, -1e10, np.nan, np.inf, -np.inf], np.float32
)
INTEGERS = np.array([[-7, 70000, -8, 8], [0, 1, -1, 300]], np.int32)
TARGETS = ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "int8", "uint8", "int32", "uint32", "bool")
TARGETS += ("complex64",)
SMALL = X.astype(ml_dtypes.bfloat16)
MESH = jax.make_mesh((1,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
EXPLICIT = jax.sharding.NamedSharding(
    jax.make_mesh((1,), ("data",), axis_types=(jax.sharding.AxisType.Explicit,)), PartitionSpec("data")
)
SPREAD = jax.sharding.NamedSharding(MESH, PartitionSpec("data"))


def converted(x, dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it discards the imaginary part
        return lax.convert_element_type(x, dtype)


CASES = (
    *(
        Case(label=f"float-to-{name}", function=lambda x, name=name: x.astype(name), arguments=(X * 100,))
        for name in TARGETS
    ),
    *(
        Case(
            label=f"special-to-{name}",
            function=lambda x, name=name: x.astype(name),
            arguments=(FLOATS,),
            source="int" not in name,
        )
        for name in ("float16", "bfloat16", "int8", "uint8", "int32", "uint32", "bool")
    ),
    *(
        Case(
            label=f"integer-to-{name}",
            function=lambda x, name=name: x.astype(name),
            arguments=(INTEGERS,),
            # It has no infinity: what is too large is NaN.
            source=name != "float8_e4m3fn",
        )
        for name in TARGETS
    ),
    Case(label="truth-to-float", function=lambda x: (x > 0).astype("float32"), arguments=(X,)),
    Case(label="scalar-to-float", function=lambda x: x.sum().astype("float32"), arguments=(INTEGERS,)),
    Case(label="small-to-float", function=lambda x: x.astype("float32"), arguments=(SMALL,)),
    Case(label="small-to-integer", function=lambda x: x.astype("int32"), arguments=(SMALL,)),
    Case(
        label="complex-to-float",
        function=lambda x: converted(x, np.float32),
        arguments=((X + 1j * X).astype(np.complex64),),
    ),
    Case(
        label="bitcast",
        function=lambda x: lax.bitcast_convert_type(lax.bitcast_convert_type(x, np.uint32) | 1, np.float32),
        arguments=(X,),
        in_float64=False,
    ),
    Case(
        label="bitcast-to-bytes",
        function=lambda x: lax.bitcast_convert_type(lax.bitcast_convert_type(x, np.uint8), np.int32),
        arguments=(INTEGERS,),
    ),
    Case(label="bitcast-float64", function=lambda x: lax.bitcast_convert_type(x, np.uint8), arguments=(X,)),
    *(
        Case(
            label=f"reduce_precision-{exponent}-{mantissa}",
            function=lambda x, e=exponent, m=mantissa: lax.reduce_precision(x, e, m),
            arguments=(np.concatenate([X.reshape(-1) * 1e4, X.reshape(-1) * 1e-4, FLOATS]),),
        )
        for exponent, mantissa in ((5, 10), (8, 7), (5, 2), (8, 23), (3, 4))
    ),
    Case(label="copy", function=lambda x: jnp.copy(x) * 2, arguments=(X,), gradient=True),
    Case(label="device_put", function=lambda x: jax.device_put(x) * 2, arguments=(X,), gradient=True),
    Case(
        label="sharding_constraint",
        function=lambda x: lax.with_sharding_constraint(x, SPREAD) * 2,
        arguments=(X,),
    ),
    Case(
        label="optimization_barrier",
        function=lambda x: sum(lax.optimization_barrier((x, x * 2))),
        arguments=(X,),
        gradient=True,
    ),
    Case(label="name", function=lambda x: checkpoint_name(x, "kept") * 2, arguments=(X,), gradient=True),
    Case(label="tie", function=lambda x, y: tie_p.bind(x, y) * 2, arguments=(X, X + 1)),
    Case(
        label="layout_constraint",
        function=lambda x: with_layout_constraint(x, Layout((0, 1))) * 2,
        arguments=(X,),
    ),
    Case(label="reshard", function=lambda x: jax.sharding.reshard(x, EXPLICIT) * 2, arguments=(X,)),
    Case(label="stop_gradient", function=lambda x: x * lax.stop_gradient(x), arguments=(X,)),
    Case(label="zeros", function=lambda x: x + lax.empty((3, 4), x.dtype), arguments=(X,)),
)
DTYPES = ("float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "uint32")
DTYPES += ("uint64", "bool", "complex64")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    source=st.sampled_from(DTYPES),
    target=st.sampled_from(DTYPES),
    numbers=st.lists(st.integers(-(2**40), 2**40) | st.integers(-300, 300), min_size=1, max_size=6),
    divisor=st.sampled_from([1, 7, 64]),
)
def test_any_dtype_to_any_dtype(source, target, numbers, divisor):
    exact = np.array(numbers, np.float64) / divisor
    with np.errstate(all="ignore"):
        array = (
            exact.astype(jnp.dtype(source)) if source[0] in "fbc" else exact.astype(np.int64).astype(source)
        )
    case = Case(label="drawn", function=lambda x: converted(x, target), arguments=(array,))

    for done in checking.execute(case, in_float64=True):
        checking.check_value(done)
        checking.check_explanation(done, np.random.default_rng(0))
        if np.isfinite(array.astype(np.complex128)).all() and abs(exact).max() < 100:
            checking.check_source(done)
