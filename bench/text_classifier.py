"""openbook's text classifiers beside the book's, on the same texts: `python -m bench.text_classifier`.

Split and backend are the same, too. The book's recipe trains first, scored after each epoch. Then openbook
trains for one, two, … epochs, each from the start with its rate falling to zero at the end, until it is as
good as the book's best epoch: that many epochs and seconds (compilation included) stand beside the book's.
`--quick` trains nothing: it times a few steps of both in turns and tells the seconds of an epoch. Results
go to `bench/results/text_classifier.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.book import text_classifier as book
from bench.side_by_side import side_by_side

RESULTS = Path(__file__).parent / "results" / "text_classifier.json"
EPOCHS = (1.0, 2.0, 3.0, 4.0, 6.0)
_QUICK_ROUNDS = 3


def main() -> None:
    """Run both arms and print the ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench.text_classifier", description=__doc__)
    parser.add_argument("--data", default="imdb", help="as for `openbook train text-classifier`")
    parser.add_argument("--models", nargs="+", default=["bag", "lstm", "transformer"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--book-epochs", type=int, help="fewer epochs of the book's recipe than published")
    parser.add_argument("--quick", action="store_true", help="time steps only")
    given = parser.parse_args()
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    for model in given.models:
        if given.quick:
            found = quick(model, given.data)
        else:
            num_epochs = given.book_epochs or book.NUM_EPOCHS[model]
            found = [to_score(model, given.data, seed, num_epochs) for seed in range(given.seeds)]
        known[f"{model}, {'steps' if given.quick else 'to the same score'}"] = {
            "date": time.strftime("%Y-%m-%d"),
            "load_average": os.getloadavg(),
            "found": found,
            **facts(),
        }
        RESULTS.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        print(model, json.dumps(found, indent=1), flush=True)


def quick(model: str, data: str) -> dict[str, Any]:
    """Seconds of an epoch of both arms, from steps taken in turns."""
    from openbook.training.seeding import seeded
    from openbook.training.state import TrainingState
    from openbook.training.step import compile_train_step

    recipe, splits, (inputs, labels), _ = _prepared(model, data, 0)
    with seeded(0):
        own = recipe.build_model(splits.facts)
    task, optimizer = recipe._task(own, splits), recipe.optimizer()
    optimizer.build(own.trainable_variables)
    states = [TrainingState.of(own, optimizer)]
    step = compile_train_step(own, optimizer, task.loss)
    network = book.compiled(model, len(splits.facts["classes"]), 0)
    batches = book.batches(model, inputs, labels, is_shuffled=True, seed=0)

    def own_step() -> None:
        states[0], loss = step(states[0], *task.batch_at(0), recipe.learning_rate)
        float(loss)

    pair = side_by_side(
        own_step, lambda: network.train_on_batch(*batches[0]), rounds=_QUICK_ROUNDS, warm_up=2
    )
    own_s, book_s = pair.medians_s
    epochs_s = own_s * task.steps_per_epoch, book_s * len(batches)
    return {
        "openbook_epoch_s": round(epochs_s[0], 1),
        "book_epoch_s": round(epochs_s[1], 1),
        "ratio_s_per_epoch": round(epochs_s[1] / epochs_s[0], 2),
        "rounds": _QUICK_ROUNDS,
    }


def to_score(model: str, data: str, seed: int, num_epochs: int) -> dict[str, Any]:
    """Both arms, until openbook is as good as the book's best epoch."""
    recipe, splits, train_arrays, test_arrays = _prepared(model, data, seed)
    published = []
    for epoch, train_s, accuracy in book.train(
        model,
        train_arrays,
        test_arrays,
        num_classes=len(splits.facts["classes"]),
        seed=seed,
        num_epochs=num_epochs,
    ):
        published.append({"epoch": epoch, "train_s": round(train_s, 2), "accuracy": accuracy})
        print(model, published[-1], flush=True)
    best = max(published, key=lambda row: row["accuracy"])
    ours = []
    for epochs in EPOCHS:
        ours.append({"epochs": epochs, **_train(recipe, splits, epochs)})
        print(model, ours[-1], flush=True)
        if ours[-1]["accuracy"] >= best["accuracy"]:
            break
    reached = ours[-1]["accuracy"] >= best["accuracy"]
    return {
        "seed": seed,
        "book": published,
        "openbook": ours,
        "reached": reached,
        "ratio_epochs": round(best["epoch"] / ours[-1]["epochs"], 2) if reached else None,
        "ratio_s": round(best["train_s"] / ours[-1]["train_s"], 2) if reached else None,
    }


def _prepared(model: str, data: str, seed: int) -> tuple[Any, Any, Any, Any]:
    """The recipe and its examples, and the book's inputs with labels for training and for the score."""
    from openbook.recipes import make_recipe
    from openbook.recipes.backend import prepare_backend
    from openbook.text.bags import BagVocabulary
    from openbook.text.words import WordVocabulary
    from openbook.training.reporter import Reporter

    prepare_backend()
    recipe: Any = make_recipe("text-classifier", {"data": data, "model": model, "seed": seed})
    loaded = recipe.load_data(Reporter())
    recipe = recipe.resolve(loaded)
    splits = recipe.split(loaded)
    size, texts = book.VOCABULARY_SIZE, splits.train.texts
    if model == "bag":
        bag = BagVocabulary.fit(texts, size=size, ngrams=2, is_tf_idf=False)
        arrays = [bag.bags(each.texts, 2048)[0] for each in (splits.train, splits.test)]
    else:
        words = WordVocabulary.fit(texts, size=size)
        arrays = [words.sequences(each.texts, book.NUM_TOKENS) for each in (splits.train, splits.test)]
    train, test = (
        (array, each.targets) for array, each in zip(arrays, (splits.train, splits.test), strict=True)
    )
    return recipe, splits, train, test


def _train(recipe: Any, splits: Any, epochs: float) -> dict[str, Any]:
    """Train from the start; the steps and their compilation are timed, the score is not."""
    from openbook.training.schedule import Schedule
    from openbook.training.seeding import seeded
    from openbook.training.state import TrainingState
    from openbook.training.step import compile_train_step

    with seeded(recipe.seed):
        model = recipe.build_model(splits.facts)
    task, optimizer = recipe._task(model, splits), recipe.optimizer()
    optimizer.build(model.trainable_variables)
    schedule = Schedule(peak=recipe.learning_rate)
    num_steps = int(epochs * task.steps_per_epoch)
    begin_s = time.perf_counter()
    state, loss = TrainingState.of(model, optimizer), np.inf
    step = compile_train_step(model, optimizer, task.loss)
    for number in range(num_steps):
        state, loss = step(state, *task.batch_at(number), schedule.learning_rate(number / num_steps))
    float(loss)
    train_s = time.perf_counter() - begin_s
    state.put_weights_into(model)
    return {"train_s": round(train_s, 2), "accuracy": task.test_score()["accuracy"]}


def facts() -> dict[str, Any]:
    """The machine and the versions."""
    from openbook.runs.machine import describe_machine, package_versions

    return {"machine": describe_machine(), "versions": package_versions()}


if __name__ == "__main__":
    main()
