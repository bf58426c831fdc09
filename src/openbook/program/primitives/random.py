"""Random numbers: JAX's counter-based generator, bit for bit.

A key is two uint32 words. A drawn number is the key's hash of the number's position (threefry, Salmon et al.
2011), so that it depends on nothing else. Operations, by definition: the additions, rotations (three operations
each) and exclusive ors of the hash's twenty rounds, for each pair of words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.errors import ModelError
from openbook.program.primitives.source_texts import shape_text
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Formula,
    Given,
    Index,
    Params,
    Primitive,
    Selection,
    Shape,
    Source,
    SourceCall,
    no_operations,
)

Operands = Sequence[np.ndarray]
Results = Sequence[Shape]

# Twenty rounds of five operations, five times two additions of the key, the counters, the third key word.
OPERATIONS_A_HASH = 20 * 5 + 5 * 3 + 4


def threefry(key: np.ndarray, high: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hash two counters by a key: twenty rounds of adding, rotating and exclusive or.

    Args:
        key: uint32 array (..., 2).
        high, low: uint32 arrays.
    Source: Salmon et al. (2011), Threefry-2x32-20.
    """
    words = (key[..., 0], key[..., 1], key[..., 0] ^ key[..., 1] ^ np.uint32(0x1BD11BDA))
    rotations = ((13, 15, 26, 6), (17, 29, 16, 24))
    with np.errstate(over="ignore"):
        x, y = high + words[0], low + words[1]
        for number in range(5):
            for turn in rotations[number % 2]:
                x = x + y
                y = x ^ ((y << np.uint32(turn)) | (y >> np.uint32(32 - turn)))
            x = x + words[(number + 1) % 3]
            y = y + words[(number + 2) % 3] + np.uint32(number + 1)
    return x, y


def counters(shape: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """The position of each element, as the high and the low half of a 64-bit number."""
    count = np.arange(np.prod(shape, dtype=np.uint64), dtype=np.uint64).reshape(shape)
    return (count >> np.uint64(32)).astype(np.uint32), count.astype(np.uint32)


def random_bits(key: np.ndarray, shape: Sequence[int], bit_width: int = 32) -> Any:
    """Random unsigned integers: for each key an array of the given shape."""
    high, low = counters(shape)
    key = key.reshape(*key.shape[:-1], *(1,) * len(shape), 2)
    x, y = threefry(key, high, low)
    if bit_width == 64:
        return (x.astype(np.uint64) << np.uint64(32)) | y
    return (x ^ y).astype(f"uint{bit_width}")


def split_key(key: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """New keys, an array of the given shape for each key."""
    high, low = counters(shape)
    key = key.reshape(*key.shape[:-1], *(1,) * len(shape), 2)
    return np.stack(threefry(key, high, low), axis=-1)


def key_of_seed(seed: np.ndarray) -> np.ndarray:
    """A key from an integer: its high and its low 32 bits."""
    seed = np.asarray(seed)
    low = seed.astype(np.uint32)
    high = (seed >> 32).astype(np.uint32) if seed.dtype.itemsize == 8 else np.zeros_like(low)
    return np.stack([high, low], axis=-1)


def fold_in(key: np.ndarray, number: np.ndarray) -> np.ndarray:
    """A new key from a key and a number."""
    high, low = np.moveaxis(key_of_seed(np.asarray(number).astype(np.uint32)), -1, 0)
    return np.stack(threefry(key, high, low), axis=-1)


def is_partitionable() -> bool:
    """Whether numbers are hashed from their positions one by one, as JAX does unless told otherwise."""
    import jax

    config: Any = jax.config
    return bool(config.jax_threefry_partitionable)


def split_key_in_pairs(key: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """New keys as in JAX with `jax_threefry_partitionable` off."""
    return hashed_in_pairs(key, 2 * int(np.prod(shape))).reshape(*key.shape[:-1], *shape, 2)


def hashed_in_pairs(key: np.ndarray, num_words: int) -> np.ndarray:
    """Words 0, 1, 2, … hashed two by two, one of the first half with one of the second."""
    half = (num_words + 1) // 2
    count = np.arange(2 * half, dtype=np.uint32)
    count[num_words:] = 0
    hashed = threefry(key[..., None, :], count[:half], count[half:])
    return np.concatenate(hashed, axis=-1)[..., :num_words]


def random_bits_in_pairs(key: np.ndarray, shape: Sequence[int], bit_width: int = 32) -> np.ndarray:
    """Random unsigned integers as in JAX with `jax_threefry_partitionable` off."""
    size = int(np.prod(shape))
    words = hashed_in_pairs(key, -(-bit_width * size // 32))
    if bit_width == 64:
        first, second = np.split(words.astype(np.uint64), 2, axis=-1)
        numbers = (first << np.uint64(32)) | second
    else:
        # Each word is cut into numbers, its lowest bits first.
        shifts = np.arange(0, 32, bit_width, dtype=np.uint32)
        numbers = (words[..., None] >> shifts).reshape(*words.shape[:-1], -1)[..., :size]
    return numbers.astype(f"uint{bit_width}").reshape((*key.shape[:-1], *shape))


def _checked(impl: Any) -> None:
    name = str(getattr(impl, "name", impl))
    if name not in ("threefry2x32", "fry"):
        raise ModelError(
            f"the random generator {name!r} has no counterpart in NumPy; expected threefry2x32, JAX's own. "
            f"Use jax.config.update('jax_default_prng_impl', 'threefry2x32')"
        )


def check_generator(dtype: Any) -> None:
    """Refuse keys of a generator that NumPy has no counterpart of.

    Raises:
        ModelError: the dtype of keys is not threefry's.
    """
    _checked(getattr(dtype, "_impl", "threefry2x32"))


# The bits


def _bits_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    draw = random_bits if is_partitionable() else random_bits_in_pairs
    return [draw(operands[0], params["shape"], params["bit_width"])]


def _bits_explain(element: Element) -> Given:
    [keys] = element.operands
    num_keys = keys.ndim - 1
    key_index, at = element.index[:num_keys], element.index[num_keys:]
    key, shape = keys[key_index], element.params["shape"]
    bit_width = element.params["bit_width"]
    if is_partitionable():
        high, low = halves(flat_position(at, shape))
        x, y = threefry(key, high, low)
        number = (int(x) << 32) | int(y) if bit_width == 64 else int(x ^ y)
        value = np.asarray(number % 2**bit_width, np.uint64).astype(element.results[0].dtype)[()]
    else:
        value = random_bits_in_pairs(key, shape, bit_width)[at]
    return Given(value=value, why="drawn from the key", operands=key_words(key_index))


def flat_position(index: Index, shape: Sequence[int]) -> int:
    """The number of an element, counted row by row."""
    flat = 0
    for at, size in zip(index, shape, strict=True):
        flat = flat * size + at
    return flat


def halves(number: int) -> tuple[np.ndarray, np.ndarray]:
    """The high and the low half of a 64-bit number."""
    return np.asarray(number >> 32, np.uint32), np.asarray(number & 0xFFFFFFFF, np.uint32)


def key_words(key_index: Index) -> tuple[tuple[int, Index], ...]:
    """Places of the two words of a key."""
    return (0, (*key_index, 0)), (0, (*key_index, 1))


def _drawing(call: SourceCall, plain: str, in_pairs: str) -> str:
    return call.helper(plain if is_partitionable() else in_pairs)


def _bits_source(call: SourceCall) -> Source:
    check_generator(call.operands[0].dtype)
    helper = _drawing(call, "random_bits", "random_bits_in_pairs")
    width = call.params["bit_width"]
    more = "" if width == 32 else f", bit_width={width}"
    return Source(text=f"{helper}({call.inputs[0]}, {shape_text(call.params['shape'])}{more})", binding=ATOM)


def _hashes(params: Params, operands: Results, results: Results) -> float:
    return float(OPERATIONS_A_HASH * max(each.num_elements for each in results))


# Keys


def _split_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    split = split_key if is_partitionable() else split_key_in_pairs
    return [split(operands[0], params["shape"])]


def _split_source(call: SourceCall) -> Source:
    check_generator(call.operands[0].dtype)
    helper = _drawing(call, "split_key", "split_key_in_pairs")
    return Source(text=f"{helper}({call.inputs[0]}, {shape_text(call.params['shape'])})", binding=ATOM)


def _fold_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [fold_in(*operands)]


def _fold_source(call: SourceCall) -> Source:
    return Source(text=f"{call.helper('fold_in')}({', '.join(call.inputs)})", binding=ATOM)


def _seed_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    _checked(params["impl"])
    return [key_of_seed(operands[0])]


def _seed_source(call: SourceCall) -> Source:
    return Source(text=f"{call.helper('key_of_seed')}({call.inputs[0]})", binding=ATOM)


def _new_key(name: str, value: Any, why: str, source: Any, operations: Any) -> Primitive:
    """An entry whose result is keys: an element is a word of a key, given by the words of those before."""

    def explain(element: Element) -> Given:
        num_axes = len(element.results[0].shape)
        at, word = element.index[:num_axes], element.index[num_axes:]
        keys = element.operands[0]
        # A new key depends on one key or seed only, and on its own position among that one's.
        num_before = min(keys.ndim - (name != "random_seed"), num_axes)
        before = at[:num_before]
        only = [np.asarray(each)[before] for each in element.operands]
        found = value(element.params, only, element.results)[0][at[num_before:]]
        operands = key_words(before) if name != "random_seed" else ((0, before),)
        if name == "random_fold_in":
            operands = (*operands, (1, before))
        number = found[word] if word else found.astype(np.uint64)[0] << np.uint64(32) | found[1]
        return Given(value=number, why=why, operands=operands)

    return Primitive(name=name, value=value, explain=explain, source=source, operations=operations)


def _passing(name: str) -> Primitive:
    """An entry whose result has the same words; JAX calls them a key or numbers."""

    def value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
        if "impl" in params:
            _checked(params["impl"])
        return [operands[0]]

    def explain(element: Element) -> Selection:
        index = element.index
        if len(index) < element.operands[0].ndim:
            index = (*index, *(0,) * (element.operands[0].ndim - len(index)))
        return Selection(chosen=(0, index), why="the same word of the key")

    def write(call: SourceCall) -> Source:
        if name != "random_unwrap":
            check_generator(call.results[0].dtype)
        return Source(text=call.inputs[0], binding=ATOM)

    return Primitive(name=name, value=value, explain=explain, source=write, operations=no_operations)


# The hash itself


def _hash_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    key = np.stack(np.broadcast_arrays(*operands[:2]), axis=-1)
    return [np.broadcast_to(each, results[0].shape) for each in threefry(key, *operands[2:])]


def _hash_explain(element: Element) -> Formula:
    def place(operand: np.ndarray) -> Index:
        behind = element.index[len(element.index) - operand.ndim :]
        return tuple(at if size > 1 else 0 for at, size in zip(behind, operand.shape, strict=True))

    def compute(first: Any, second: Any, high: Any, low: Any) -> Any:
        return threefry(np.array([first, second], np.uint32), np.asarray(high), np.asarray(low))[
            element.output
        ]

    return Formula(
        operands=tuple((position, place(operand)) for position, operand in enumerate(element.operands)),
        compute=compute,
        text=f"word {element.output + 1} of hash(key {{0}} {{1}}, counter {{2}} {{3}})",
    )


def _hash_source(call: SourceCall) -> Source:
    key = f"np.stack([{call.inputs[0]}, {call.inputs[1]}], axis=-1)"
    return Source(text=f"{call.helper('threefry')}({key}, {call.inputs[2]}, {call.inputs[3]})", binding=ATOM)


def _counter_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return list(counters(params["shape"]))


def _counter_explain(element: Element) -> Given:
    number = halves(flat_position(element.index, element.params["shape"]))[element.output][()]
    half = "high" if element.output == 0 else "low"
    return Given(value=number, why=f"the {half} half of its position")


def _counter_source(call: SourceCall) -> Source:
    return Source(text=f"{call.helper('counters')}({shape_text(call.params['shape'])})", binding=ATOM)


PRIMITIVES = (
    Primitive(
        name="random_bits",
        value=_bits_value,
        explain=_bits_explain,
        source=_bits_source,
        operations=_hashes,
    ),
    _new_key("random_split", _split_value, "a new key, drawn from the key", _split_source, _hashes),
    _new_key(
        "random_fold_in", _fold_value, "a new key, drawn from the key and a number", _fold_source, _hashes
    ),
    _new_key("random_seed", _seed_value, "half of the seed", _seed_source, no_operations),
    _passing("random_wrap"),
    _passing("random_unwrap"),
    _passing("random_clone"),
    Primitive(
        name="threefry2x32",
        value=_hash_value,
        explain=_hash_explain,
        source=_hash_source,
        operations=_hashes,
    ),
    Primitive(
        name="iota_2x32_shape",
        value=_counter_value,
        explain=_counter_explain,
        source=_counter_source,
        operations=no_operations,
    ),
)

HELPERS = {
    function.__name__: function
    for function in (
        threefry,
        counters,
        random_bits,
        split_key,
        key_of_seed,
        fold_in,
        hashed_in_pairs,
        split_key_in_pairs,
        random_bits_in_pairs,
    )
}
