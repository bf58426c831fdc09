"""Gamma-distributed numbers, drawn by rejection: the same numbers as JAX, but for rounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.errors import ModelError
from openbook.program.primitives.elementwise import wide
from openbook.program.primitives.random import (
    OPERATIONS_A_HASH,
    check_generator,
    flat_position,
    halves,
    is_partitionable,
    key_words,
    random_bits,
    split_key,
    threefry,
)
from openbook.program.primitives.special import erf_inv
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Given,
    Params,
    Primitive,
    Shape,
    Source,
    SourceCall,
)

Operands = Sequence[np.ndarray]
Results = Sequence[Shape]


def _check_positions() -> None:
    if not is_partitionable():
        raise ModelError(
            "gamma-distributed numbers with jax_threefry_partitionable switched off have no counterpart in NumPy. "
            "Switch it on: jax.config.update('jax_threefry_partitionable', True)"
        )


def random_gamma(key: np.ndarray, alpha: np.ndarray, *, log_space: bool = False) -> Any:
    """Gamma-distributed numbers of shape alpha, a key of its own for each.

    Args:
        log_space: give their logarithms.
    """
    num_each = int(np.prod(alpha.shape[key.ndim - 1 :]))
    keys = split_key(key, (num_each,)).reshape(-1, 2)
    return gamma_of_keys(keys, alpha.reshape(-1), log_space).reshape(alpha.shape)


def gamma_of_keys(keys: np.ndarray, alpha: np.ndarray, log_space: bool) -> Any:
    """One number for each key. Source: Marsaglia and Tsang (2000)."""
    dtype = alpha.dtype.type
    # Below 1 a number of alpha + 1 is drawn, and multiplied by a uniform one to the power of 1 / alpha.
    is_large = alpha >= 1
    d = np.where(is_large, alpha, alpha + dtype(1)) - dtype(1 / 3)
    c = dtype(1 / 3) / np.sqrt(d)
    keys, last_keys = np.moveaxis(split_key(keys, (2,)), 1, 0)
    cubes = np.ones_like(alpha)
    drawing = np.arange(len(alpha))
    while len(drawing):
        keys, normal_keys, uniform_keys = np.moveaxis(split_key(keys, (3,)), 1, 0)
        x, v = np.zeros(len(drawing), dtype), -np.ones(len(drawing), dtype)
        while (v <= 0).any():
            again = v <= 0
            normal_keys[again], now = np.moveaxis(split_key(normal_keys[again], (2,)), 1, 0)
            x[again] = standard_normal(now, dtype)
            v[again] = dtype(1) + x[again] * c[drawing[again]]
        square, cube, uniform = x * x, v * v * v, uniform_number(uniform_keys, dtype)
        cubes[drawing] = cube
        with np.errstate(divide="ignore"):
            bound = square * dtype(0.5) + d[drawing] * (dtype(1) - cube + np.log(cube))
            is_rejected = (uniform >= dtype(1) - dtype(0.0331) * (square * square)) & (
                np.log(uniform) >= bound
            )
        drawing, keys = drawing[is_rejected], keys[is_rejected]
    uniform = uniform_number(last_keys, dtype)
    if log_space:
        logs = np.log1p(-uniform)
        boost = np.where(is_large | (logs == 0), dtype(0), logs * (dtype(1) / alpha))
        return np.log(d) + np.log(cubes) + boost
    return d * cubes * np.where(is_large, dtype(1), (dtype(1) - uniform) ** (dtype(1) / alpha))


def uniform_number(key: np.ndarray, dtype: type) -> Any:
    """A number from 0 to 1 for each key: random digits behind the point."""
    width, digits, unsigned = (64, 52, np.uint64) if np.dtype(dtype).itemsize == 8 else (32, 23, np.uint32)
    bits = random_bits(key, (), width) >> unsigned(width - digits)
    return (bits | np.ones(1, dtype).view(unsigned)).view(dtype) - dtype(1)


def standard_normal(key: np.ndarray, dtype: type) -> Any:
    """A normally distributed number for each key, from a uniform one between -1 and 1."""
    lowest = np.nextafter(dtype(-1), dtype(0))
    uniform = np.maximum(lowest, uniform_number(key, dtype) * (dtype(1) - lowest) + lowest)
    return dtype(np.sqrt(2)) * erf_inv(uniform)


def _gamma_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    _check_positions()
    keys, alpha = operands
    drawn = random_gamma(keys, wide(alpha), log_space=params["log_space"])
    return [drawn.astype(results[0].dtype, copy=False)]


def _gamma_explain(element: Element) -> Given:
    _check_positions()
    keys, alpha = element.operands
    num_keys = keys.ndim - 1
    key_index, at = element.index[:num_keys], element.index[num_keys:]
    key = np.stack(threefry(keys[key_index], *halves(flat_position(at, alpha.shape[num_keys:]))), axis=-1)
    value = gamma_of_keys(key[None], wide(alpha)[element.index][None], element.params["log_space"])[0]
    return Given(
        value=value.astype(element.results[0].dtype),
        why="drawn from the key, gamma-distributed"
        + (", its logarithm" if element.params["log_space"] else ""),
        operands=(*key_words(key_index), (1, element.index)),
    )


def _gamma_source(call: SourceCall) -> Source:
    _check_positions()
    check_generator(call.operands[0].dtype)
    more = ", log_space=True" if call.params["log_space"] else ""
    return Source(text=f"{call.helper('random_gamma')}({', '.join(call.inputs)}{more})", binding=ATOM)


def _gamma_operations(params: Params, operands: Results, results: Results) -> float:
    """Of numbers accepted at the first try, as nineteen of twenty are: six hashes and a few dozen operations."""
    return float(results[0].num_elements * (6 * OPERATIONS_A_HASH + 30))


PRIMITIVES = (
    Primitive(
        name="random_gamma",
        value=_gamma_value,
        explain=_gamma_explain,
        source=_gamma_source,
        operations=_gamma_operations,
    ),
)

HELPERS = {
    function.__name__: function
    for function in (
        random_gamma,
        gamma_of_keys,
        uniform_number,
        standard_normal,
    )
}
