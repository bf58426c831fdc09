"""What reading a model costs, as ratios: `python -m bench.program`.

Trace of everything against the jitted forward pass, trace of a training step against the jitted step, the time of
one explanation in a decoder of 135M parameters, and of writing MobileNetV2 as NumPy.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import openbook
from bench.side_by_side import side_by_side

_EXPLANATIONS = 200


def main() -> None:
    """Run the parts asked for and print them as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.program")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all when left out")
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args()
    for part in given.parts or PARTS:
        print(json.dumps({"part": part, **PARTS[part](given.rounds)}), flush=True)


def trace_transformer(rounds: int) -> dict[str, Any]:
    """Four decoder layers, 16 × 128 tokens."""
    return _trace_ratio(_decoder(num_blocks=4, width=256), _tokens(16, 128, 8192), rounds)


def trace_convnet(rounds: int) -> dict[str, Any]:
    """MobileNetV2 with 224 × 224 pictures, 8 at once."""
    import keras

    model = keras.applications.MobileNetV2(weights=None)
    pictures = np.random.default_rng(0).normal(size=(8, 224, 224, 3)).astype("float32")
    return _trace_ratio(model, pictures, rounds)


def trace_step(rounds: int) -> dict[str, Any]:
    """A training step (Adam) of four decoder layers, 16 × 128 tokens."""
    import jax

    from openbook.program.model import step_program
    from openbook.program.reading import Reading
    from openbook.program.trace import Trace

    tokens = _tokens(16, 128, 2048)
    model = _decoder(num_blocks=4, width=256, vocabulary_size=2048)
    options = {
        "loss": _next_token_loss(),
        "optimizer": "adam",
    }
    program, roles, arrays = step_program(model, tokens, tokens, **options)
    reading = Reading(program, roles)
    step = jax.jit(_replayed(program))
    pair = side_by_side(
        lambda: jax.block_until_ready(step(arrays)),
        lambda: jax.block_until_ready(reading.capture(arrays)),
        rounds=rounds,
    )
    return {"values": len(Trace(reading, arrays).names()), **_as_json(pair)}


def explain(rounds: int) -> dict[str, Any]:
    """Random elements of all values of a decoder of 135M parameters at 128 tokens."""
    model = _decoder(num_blocks=16, width=768, vocabulary_size=32768)
    trace = openbook.trace(model, _tokens(1, 128, 32768))
    rng = random.Random(0)
    names = rng.choices(trace.names(), k=_EXPLANATIONS)
    trace.explain(names[0], tuple(0 for _ in trace[names[0]].shape))
    durations = []
    for name in names:
        index = tuple(rng.randrange(size) for size in trace[name].shape)
        begin = time.perf_counter()
        trace.explain(name, index)
        durations.append(time.perf_counter() - begin)
    return {
        "parameters": model.count_params(),
        "values": len(trace.names()),
        "median_ms": 1e3 * statistics.median(durations),
        "largest_ms": 1e3 * max(durations),
    }


def to_numpy(rounds: int) -> dict[str, Any]:
    """MobileNetV2 as a NumPy program."""
    import keras

    model = keras.applications.MobileNetV2(weights=None)
    begin = time.perf_counter()
    text = openbook.to_numpy(model)
    return {"seconds": time.perf_counter() - begin, "lines": len(text.splitlines())}


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {
    function.__name__: function
    for function in (trace_transformer, trace_convnet, trace_step, explain, to_numpy)
}


def _trace_ratio(model: Any, inputs: np.ndarray, rounds: int) -> dict[str, Any]:
    import jax

    trace = openbook.trace(model, inputs)
    weights = [variable.value for variable in model.variables]
    num_trainable = len(model.trainable_variables)
    order = [*model.trainable_variables, *model.non_trainable_variables]
    values = [variable.value for variable in order]

    @jax.jit
    def forward(values: Any, inputs: Any) -> Any:
        return model.stateless_call(values[:num_trainable], values[num_trainable:], inputs)[0]

    pair = side_by_side(
        lambda: jax.block_until_ready(forward(values, inputs)),
        lambda: openbook.trace(model, inputs),
        rounds=rounds,
    )
    return {"values": len(trace.names()), "weights": len(weights), **_as_json(pair)}


def _as_json(pair: Any) -> dict[str, float]:
    plain_s, traced_s = pair.medians_s
    return {"plain_ms": 1e3 * plain_s, "traced_ms": 1e3 * traced_s, "ratio": pair.ratio}


def _replayed(program: Any) -> Callable[[Any], Any]:
    from openbook.program.capture import replay

    return lambda arrays: replay(program, arrays, frozenset())[0]


def _decoder(*, num_blocks: int, width: int, vocabulary_size: int = 8192) -> Any:
    from openbook.recipes import make_recipe
    from openbook.recipes.text_scratch import build_decoder

    settings = {
        "num_blocks": num_blocks,
        "width": width,
        "num_heads": width // 64,
        "feed_forward_units": 4 * width,
        "context_length": 128,
        "precision": "float32",
    }
    return build_decoder(make_recipe("text-generator", settings), vocabulary_size=vocabulary_size)


def _tokens(batch_size: int, length: int, vocabulary_size: int) -> np.ndarray:
    return np.random.default_rng(0).integers(vocabulary_size, size=(batch_size, length)).astype("int32")


def _next_token_loss() -> Any:
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


if __name__ == "__main__":
    main()
