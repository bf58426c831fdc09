"""The table of textbook functions to recognise: each a JAX function whose steps are looked for."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from openbook.program.numpy_source.graph import Graph
from openbook.program.numpy_source.reading import read_graph
from openbook.program.program import program_of

# Stands in a pattern for any number; what it stands for is handed to the helper.
EPSILON = 0.000517
NUM_CLASSES = 7
_ROWS, _COLUMNS = 5, NUM_CLASSES


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    """What one output of a pattern is written as.

    Attributes:
        function: the helper's name.
        operands: positions of the pattern's inputs; a negative number -1 - k is the pattern's output k.
        settings: names of captured settings, with the defaults that need not be written.
        num_outputs: how many outputs of the pattern, from this one, the call gives.
        role: what the result is called; the function's name when empty.
        gradient_of: position of the pattern's input that the result is the gradient by.
    """

    function: str
    operands: tuple[int, ...]
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    num_outputs: int = 1
    role: str = ""
    gradient_of: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pattern:
    """A function to recognise.

    Attributes:
        function: of JAX arrays; returns one result, or a tuple of results as `calls` has them.
        arguments: examples, by shape and dtype.
        numbers: names of the numbers that may be any, by the number that stands for each.
    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[np.ndarray, ...]
    calls: tuple[Call, ...]
    numbers: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def graph(self) -> Graph:
        """The steps of the function, simplified as those of any program are."""
        from openbook.program.numpy_source.simplify import simplify

        graph = read_graph(program_of(self.function, *self.arguments))
        simplify(graph)
        return graph


def _float(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def _softmax(x: Any) -> Any:
    import jax

    return jax.nn.softmax(x, axis=-1)


def _log_softmax(x: Any) -> Any:
    import jax

    return jax.nn.log_softmax(x, axis=-1)


def _gelu(x: Any) -> Any:
    import jax

    return jax.nn.gelu(x, approximate=False)


def _gelu_tanh(x: Any) -> Any:
    import jax

    return jax.nn.gelu(x, approximate=True)


def _silu(x: Any) -> Any:
    import jax

    return jax.nn.silu(x)


def _with_gradient(function: Callable[..., Any], by: Sequence[int]) -> Callable[..., Any]:
    """A function with its gradients by some arguments; the gradient by its result is the last argument."""

    def both(*arguments: Any) -> Any:
        import jax

        *given, d_result = arguments

        def of(*varied: Any) -> Any:
            filled = list(given)
            for position, value in zip(by, varied, strict=True):
                filled[position] = value
            return function(*filled)

        result, backward = jax.vjp(of, *(given[position] for position in by))
        return (result, *backward(d_result))

    return both


def _layer_norm(x: Any, scale: Any, offset: Any) -> Any:
    """As Keras computes it."""
    import jax
    import jax.numpy as jnp

    mean = jnp.mean(x, axis=-1, keepdims=True)
    variance = jnp.var(x, axis=-1, keepdims=True)
    inverse = jax.lax.rsqrt(variance + EPSILON) * scale
    return x * inverse + (-mean * inverse + offset)


def _rms_norm(x: Any, scale: Any) -> Any:
    import jax
    import jax.numpy as jnp

    return x * jax.lax.rsqrt(jnp.mean(jnp.square(x), axis=-1, keepdims=True) + EPSILON) * scale


def _one_hot(classes: Any) -> Any:
    import jax

    return jax.nn.one_hot(classes, NUM_CLASSES)


def _cross_entropy(targets: Any, probabilities: Any) -> Any:
    """As Keras computes it from probabilities."""
    import jax.numpy as jnp

    shares = probabilities / jnp.sum(probabilities, axis=-1, keepdims=True)
    return -jnp.sum(targets * jnp.log(jnp.clip(shares, 1e-7, 1 - 1e-7)), axis=-1)


def _cross_entropy_with_number(targets: Any, probabilities: Any) -> Any:
    """The gradient of a mean of cross-entropies: each has the same share in it."""
    import jax
    import jax.numpy as jnp

    losses, backward = jax.vjp(lambda each: _cross_entropy(targets, each), probabilities)
    return (losses, *backward(jnp.full(losses.shape, _D_LOSS, losses.dtype)))


def _binary_cross_entropy(targets: Any, probabilities: Any) -> Any:
    import jax.numpy as jnp

    clipped = jnp.clip(probabilities, 1e-7, 1 - 1e-7)
    positive = targets * jnp.log(clipped)
    return -(positive + (1.0 - targets) * jnp.log(1.0 - clipped))


def _batch_norm(x: Any, scale: Any, offset: Any, mean: Any, variance: Any) -> Any:
    """As Keras computes it; mean and variance are of the batch, or those kept from training."""
    import jax

    inverse = jax.lax.rsqrt(variance + EPSILON) * scale
    return x * inverse + (-mean * inverse + offset)


def _logsumexp(x: Any) -> Any:
    import jax

    return jax.nn.logsumexp(x, axis=-1, keepdims=True)


def _clip_gradient(x: Any, d_clipped: Any) -> Any:
    import jax
    import jax.numpy as jnp

    clipped, backward = jax.vjp(lambda x: jnp.clip(x, _LOW, _HIGH), x)
    return (clipped, *backward(d_clipped))


_LOW, _HIGH = -0.000731, 0.000913
_D_LOSS = 0.000613
_AXIS = {"axis": -1}
_EPSILON = {"epsilon": EPSILON}


@functools.cache
def _normalisations(rank: int, num_columns: int) -> tuple[Pattern, ...]:
    """Normalisations of rows with their gradients; the steps depend on the rows' length."""
    x, row = _float(*(2, 3, 4)[: rank - 1], num_columns), _float(num_columns)
    settings = {"epsilon": None}
    layer_norm = Call(function="layer_norm", operands=(0, 1, 2), settings=settings)
    rms_norm = Call(function="rms_norm", operands=(0, 1), settings=settings)
    return (
        Pattern(
            name="layer_norm_gradient",
            function=_with_gradient(_layer_norm, (0, 1, 2)),
            arguments=(x, row, row, x),
            calls=(
                layer_norm,
                Call(function="layer_norm_gradient", operands=(0, 1, 3), settings=settings, num_outputs=3),
            ),
            numbers=_EPSILON,
        ),
        Pattern(
            name="layer_norm_weight_gradients",
            function=_with_gradient(_layer_norm, (1, 2)),
            arguments=(x, row, row, x),
            calls=(
                layer_norm,
                Call(
                    function="layer_norm_weight_gradients", operands=(0, 3), settings=settings, num_outputs=2
                ),
            ),
            numbers=_EPSILON,
        ),
        Pattern(
            name="rms_norm_gradient",
            function=_with_gradient(_rms_norm, (0, 1)),
            arguments=(x, row, x),
            calls=(
                rms_norm,
                Call(function="rms_norm_gradient", operands=(0, 1, 2), settings=settings, num_outputs=2),
            ),
            numbers=_EPSILON,
        ),
    )


def _activation(name: str, function: Callable[..., Any]) -> list[Pattern]:
    x = _float(_ROWS, _COLUMNS)
    return [
        Pattern(
            name=f"{name}_gradient",
            function=_with_gradient(function, (0,)),
            arguments=(x, x),
            calls=(
                Call(function=name, operands=(0,)),
                Call(function=f"{name}_gradient", operands=(0, 1), gradient_of=0),
            ),
        ),
        Pattern(name=name, function=function, arguments=(x,), calls=(Call(function=name, operands=(0,)),)),
    ]


def patterns(rows: Iterable[tuple[int, int]] = ()) -> tuple[Pattern, ...]:
    """All patterns, those that take in more steps first.

    Args:
        rows: (number of axes, length of the last) of the arrays whose rows a graph takes the mean of.
    """
    found = [pattern for rank, size in sorted(rows) for pattern in _normalisations(rank, size)]
    return (*found, *_fixed_patterns())


@functools.cache
def _fixed_patterns() -> tuple[Pattern, ...]:
    x, row, rows = _float(_ROWS, _COLUMNS), _float(_COLUMNS), _float(_ROWS)
    softmax = Call(function="softmax", operands=(0,), settings=_AXIS)
    return (
        Pattern(
            name="mean_cross_entropy_gradient",
            function=_cross_entropy_with_number,
            arguments=(x, x),
            calls=(
                Call(function="cross_entropy", operands=(0, 1), role="losses"),
                Call(
                    function="cross_entropy_gradient",
                    operands=(0, 1),
                    settings={"d_loss": None},
                    gradient_of=1,
                ),
            ),
            numbers={"-d_loss": -_D_LOSS},
        ),
        Pattern(
            name="cross_entropy_gradient",
            function=_with_gradient(_cross_entropy, (1,)),
            arguments=(x, x, rows),
            calls=(
                Call(function="cross_entropy", operands=(0, 1), role="losses"),
                Call(function="cross_entropy_gradient", operands=(0, 1, 2), gradient_of=1),
            ),
        ),
        Pattern(
            name="softmax_gradient",
            function=_with_gradient(_softmax, (0,)),
            arguments=(x, x),
            calls=(
                softmax,
                Call(function="softmax_gradient", operands=(-1, 1), settings=_AXIS, gradient_of=0),
            ),
        ),
        Pattern(
            name="log_softmax_gradient",
            function=_with_gradient(_log_softmax, (0,)),
            arguments=(x, x),
            calls=(
                Call(function="log_softmax", operands=(0,), settings=_AXIS),
                Call(function="log_softmax_gradient", operands=(0, 1), settings=_AXIS, gradient_of=0),
            ),
        ),
        *_activation("gelu", _gelu),
        *_activation("gelu_tanh", _gelu_tanh),
        *_activation("silu", _silu),
        Pattern(
            name="layer_norm",
            function=_layer_norm,
            arguments=(x, row, row),
            calls=(Call(function="layer_norm", operands=(0, 1, 2), settings={"epsilon": None}),),
            numbers=_EPSILON,
        ),
        Pattern(
            name="batch_norm",
            function=_batch_norm,
            arguments=(x, row, row, row, row),
            calls=(Call(function="batch_norm", operands=(0, 1, 2, 3, 4), settings={"epsilon": None}),),
            numbers=_EPSILON,
        ),
        Pattern(
            name="rms_norm",
            function=_rms_norm,
            arguments=(x, row),
            calls=(Call(function="rms_norm", operands=(0, 1), settings={"epsilon": None}),),
            numbers=_EPSILON,
        ),
        Pattern(
            name="cross_entropy",
            function=_cross_entropy,
            arguments=(x, x),
            calls=(Call(function="cross_entropy", operands=(0, 1), role="losses"),),
        ),
        Pattern(
            name="binary_cross_entropy",
            function=_binary_cross_entropy,
            arguments=(x, x),
            calls=(Call(function="binary_cross_entropy", operands=(0, 1), role="losses"),),
        ),
        Pattern(
            name="clip_gradient",
            function=_clip_gradient,
            arguments=(x, x),
            calls=(
                Call(function="np.clip", operands=(0,), settings={"low": None, "high": None}, role="clipped"),
                Call(
                    function="clip_gradient",
                    operands=(0, 1),
                    settings={"low": None, "high": None},
                    gradient_of=0,
                ),
            ),
            numbers={"low": _LOW, "high": _HIGH},
        ),
        Pattern(name="softmax", function=_softmax, arguments=(x,), calls=(softmax,)),
        Pattern(
            name="log_softmax",
            function=_log_softmax,
            arguments=(x,),
            calls=(Call(function="log_softmax", operands=(0,), settings=_AXIS),),
        ),
        Pattern(
            name="logsumexp",
            function=_logsumexp,
            arguments=(x,),
            calls=(Call(function="logsumexp", operands=(0,), settings=_AXIS),),
        ),
        Pattern(
            name="one_hot",
            function=_one_hot,
            arguments=(np.zeros(_ROWS, np.int32),),
            calls=(
                Call(function="one_hot", operands=(0,), settings={"num_classes": None}, role="one_hot_rows"),
            ),
        ),
    )
