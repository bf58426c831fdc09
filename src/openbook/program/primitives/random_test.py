"""Cases of random numbers: the same bits as JAX."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from jax import random as jax_random

from openbook.errors import ModelError
from openbook.program.numpy_run import run_numpy
from openbook.program.primitives import random
from openbook.program.primitives.cases_test import Case
from openbook.program.primitives.table import primitives
from openbook.program.program import program_of

KEY = jax_random.key(7)
KEYS = jax_random.split(KEY, 3)
ALPHA = np.array([0.3, 2.0, 1.0], np.float32)
COUNTS = np.arange(4, dtype=np.uint32)


def _hash(first, second, high, low):
    from jax._src.random.threefry2x32 import threefry2x32_p

    return threefry2x32_p.bind(first, second, high, low)


def _positions(x):
    from jax._src.random.prng import iota_2x32_shape

    return [*iota_2x32_shape((3, 2)), x]


CASES = (
    *(
        Case(
            label=f"bits-{width}",
            function=lambda key, keys, width=width: [
                jax_random.bits(key, (3, 5), f"uint{width}"),
                jax.vmap(lambda key: jax_random.bits(key, (5,), f"uint{width}"))(keys),
            ],
            arguments=(KEY, KEYS),
        )
        for width in (8, 16, 32)
    ),
    Case(
        label="split",
        function=lambda key, keys: [
            jax_random.split(key, 4),
            jax_random.split(key, (2, 3)),
            jax.vmap(jax_random.split)(keys),
        ],
        arguments=(KEY, KEYS),
    ),
    Case(
        label="fold-in",
        function=lambda key, keys, number: [
            jax_random.fold_in(key, number),
            jax.vmap(jax_random.fold_in)(keys, COUNTS[:3]),
        ],
        arguments=(KEY, KEYS, np.int32(-5)),
    ),
    Case(
        label="seed",
        function=lambda seed: [jax_random.key(seed), jax_random.key_data(jax_random.key(seed))],
        arguments=(np.int32(-5),),
    ),
    Case(
        label="words",
        function=lambda words: jax_random.clone(jax_random.wrap_key_data(words)),
        arguments=(COUNTS[:2],),
    ),
    Case(label="hash", function=_hash, arguments=(np.uint32(3), np.uint32(4), COUNTS, COUNTS)),
    Case(label="positions", function=_positions, arguments=(COUNTS,)),
    Case(label="normal", function=lambda key: jax_random.normal(key, (5,)), arguments=(KEY,)),
)


def test_hash_gives_the_published_numbers():
    """Source: the known answers of Random123 (Salmon et al. 2011)."""
    answers = [
        ([0, 0], [0, 0], [0x6B200159, 0x99BA4EFE]),
        ([0xFFFFFFFF] * 2, [0xFFFFFFFF] * 2, [0x1CB996FC, 0xBB002BE7]),
        ([0x13198A2E, 0x03707344], [0x243F6A88, 0x85A308D3], [0xC4923A9C, 0x483DF7A0]),
    ]
    for key, (high, low), expected in answers:
        found = random.threefry(np.array(key, np.uint32), np.uint32(high), np.uint32(low))
        assert [int(word) for word in found] == expected


@pytest.fixture
def _numbered_in_pairs():
    jax.config.update("jax_threefry_partitionable", False)
    jax.clear_caches()
    yield
    jax.config.update("jax_threefry_partitionable", True)
    jax.clear_caches()


@pytest.mark.usefixtures("_numbered_in_pairs")
@pytest.mark.parametrize(("width", "shape"), [(8, (7,)), (16, (3, 5)), (32, (7,)), (32, (3, 2)), (32, ())])
def test_bits_agree_when_numbered_in_pairs(width, shape):
    function = lambda key: (jax_random.bits(key, shape, f"uint{width}"), jax_random.split(key, 3))  # noqa: E731
    program = program_of(function, KEY)

    values = run_numpy(program, [np.asarray(jax_random.key_data(KEY))])

    bits, keys = function(KEY)
    np.testing.assert_array_equal(values[program.outputs[0]], bits)
    np.testing.assert_array_equal(values[program.outputs[1]], jax_random.key_data(keys))


@pytest.mark.parametrize("seed", [-5, 2**40 + 5])
def test_wide_seeds_and_bits_agree(seed):
    with jax.enable_x64(True):
        seed = np.int64(seed)
        function = lambda seed: jax_random.bits(jax_random.key(seed), (5,), "uint64")  # noqa: E731
        program = program_of(function, seed)

        values = run_numpy(program, [seed])

        np.testing.assert_array_equal(values[program.outputs[0]], function(seed))


def test_other_generators_are_refused_by_name():
    program = program_of(lambda seed: jax_random.key(seed, impl="rbg"), np.int32(0))
    [step] = [step for step in program.steps if step.primitive == "random_seed"]

    with pytest.raises(ModelError, match="rbg"):
        primitives()["random_seed"].value(step.params, [np.int32(0)], ())
