"""Training tokens a second of the text generator, and the share of what this machine can multiply.

`python -m bench.text_throughput --size small`: openbook's compiled step beside `fit` of Keras with the same model,
the same optimizer and the same batches, in turns; the machine's limit is the fastest large matrix product of any
library here, in its best precision, measured in the same turns. The machine should be idle.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bench.side_by_side import RESULTS, facts

_STEPS_PER_ROUND = 6
_PRODUCT_SIZE = 2048


def main() -> None:
    """Measure, keep the result and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench.text_throughput", description=__doc__)
    parser.add_argument("--size", default="small")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--data", default="imdb")
    given = parser.parse_args()
    path = RESULTS / "text_throughput.json"
    known = json.loads(path.read_text("utf-8"))["rows"] if path.exists() else []
    row = measure(given.size, data=given.data, rounds=given.rounds)
    rows = [*(each for each in known if each["size"] != given.size), row]
    content = {"command": "python -m bench.text_throughput", **facts(), "rows": rows}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(row, indent=1))


def measure(size: str, *, data: str, rounds: int) -> dict[str, Any]:
    """Medians over the rounds of both arms and of each library's product."""
    from bench.train_once import prepare
    from openbook.recipes import make_recipe
    from openbook.training.reporter import Reporter

    prepare()
    recipe: Any = make_recipe("text-generator", {"data": data, "size": size, "steps": 100})
    texts = recipe.load_data(Reporter())
    recipe = recipe.resolve(texts)
    work = recipe.workload(texts)
    batches = [work.batch_at(step) for step in range(_STEPS_PER_ROUND)]
    arms = {"openbook": _compiled_step(work, batches), "keras_fit": _keras_fit(work, batches)}
    products = _products()
    seconds: dict[str, list[float]] = {name: [] for name in (*arms, *products)}
    for number in range(rounds + 1):
        for name, run in {**arms, **products}.items():
            begin_s = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - begin_s)
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    gflops = {name: 2 * _PRODUCT_SIZE**3 / medians[name] / 1e9 for name in products}
    operations = _operations(work)
    tokens = _STEPS_PER_ROUND * work.units_per_step
    reached = {name: _STEPS_PER_ROUND * operations / medians[name] / 1e9 for name in arms}
    return {
        "size": size,
        "precision": recipe.precision,
        "date": time.strftime("%Y-%m-%d"),
        "tokens_per_s": {name: round(tokens / medians[name]) for name in arms},
        "ratio": round(medians["keras_fit"] / medians["openbook"], 3),
        "product_gflops": {name: round(value, 1) for name, value in gflops.items()},
        "step_gflop": round(operations / 1e9, 2),
        "reached_gflops": {name: round(value, 1) for name, value in reached.items()},
        "share_of_limit": {name: round(value / max(gflops.values()), 3) for name, value in reached.items()},
    }


def _operations(work: Any) -> float:
    """Operations of one step's products, from its program."""
    from openbook.forecasting.abstract_model import read_step

    step = read_step(work.build, work.optimizer, work.loss, work.batch_at(0))
    return float(step.cost.operations)


def _compiled_step(work: Any, batches: list[Any]) -> Callable[[], object]:
    """Steps as `openbook train` takes them."""
    import jax

    from openbook.training.state import TrainingState
    from openbook.training.step import compile_train_step

    model, optimizer = work.build(), work.optimizer()
    optimizer.build(model.trainable_variables)
    step = compile_train_step(model, optimizer, work.loss)
    state = [TrainingState.of(model, optimizer)]

    def run() -> object:
        loss = None
        for inputs, targets in batches:
            state[0], loss = step(state[0], inputs, targets, 1e-3)
        return jax.block_until_ready(loss)

    return run


def _keras_fit(work: Any, batches: list[Any]) -> Callable[[], object]:
    """The same steps by `fit`."""
    import keras

    model = work.build()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(work.optimizer(), loss=loss)
    inputs, targets = (np.concatenate([batch[part] for batch in batches]) for part in (0, 1))
    batch_size = len(batches[0][0])

    def run() -> object:
        return model.fit(inputs, targets, batch_size=batch_size, epochs=1, shuffle=False, verbose=0)

    return run


def _products() -> Mapping[str, Callable[[], object]]:
    """A large product of each library here, in each precision that it multiplies in."""
    import jax
    import jax.numpy as jnp

    size = (_PRODUCT_SIZE, _PRODUCT_SIZE)
    plain = np.random.default_rng(0).normal(size=size).astype(np.float32)
    found: dict[str, Callable[[], object]] = {"numpy_float32": lambda: plain @ plain}

    def of_jax(dtype: str) -> Callable[[], object]:
        matrix = jnp.asarray(plain, dtype)
        multiply = jax.jit(lambda a: jnp.matmul(a, a, preferred_element_type=jnp.float32))
        return lambda: jax.block_until_ready(multiply(matrix))

    for dtype in ("float32", "bfloat16"):
        found[f"jax_{dtype}"] = of_jax(dtype)
    try:
        import torch
    except ImportError:
        return found

    def of_torch(dtype: Any) -> Callable[[], object]:
        matrix = torch.from_numpy(plain).to(dtype)
        return lambda: matrix @ matrix

    for dtype in (torch.float32, torch.bfloat16):
        found[f"torch_{str(dtype).removeprefix('torch.')}"] = of_torch(dtype)
    return found


if __name__ == "__main__":
    main()
