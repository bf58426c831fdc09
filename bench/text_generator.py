"""The text generator beside the book's: `python -m bench.text_generator --quick`.

Both arms learn from the same reviews and are scored on the same held-out ones, in bits per byte of what the book's
model sees of a text: lower case, no punctuation, the first 100 words (see `bench/book/words.py`). The book's arm
trains with a constant rate and is scored after each epoch; it runs in a process of its own, on the backend of
`--book-backend`. openbook's arm is `openbook train text-generator --budget …` in fresh processes with nothing
compiled before: each budget is a whole run of its own, because the learning rate falls to zero at its end.

Two forms of the book's arm: `published` (batches of 256, rate 0.001) and `strongest`, the same layers with the
batch size and rate that a small search found best. Seconds are of training (steps alone) and in total (from the
start of the process to the last step: reading, tokenising, forecast, compiling). The machine should be idle.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench import fresh_process
from bench.book.words import normalised
from bench.side_by_side import RESULTS, Rows
from bench.text_ratios import has_stopped, ratios

NUM_WORDS = 100
BUDGETS_S = (8, 12, 16, 20, 30, 45, 60, 90, 150, 300, 600, 1200, 3600)
QUICK_BUDGETS_S = BUDGETS_S[:8]
# Learning rates and batch sizes among which the strongest form of the book's arm is searched.
SEARCHED = ((32, 1e-3), (32, 5e-4), (64, 1e-3), (16, 5e-4))
_MALLOC = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "268435456",
}


def main() -> None:
    """Train both arms, write the results as they come, and print the ratios."""
    given = _arguments().parse_args()
    rows = Rows(given.results, command="python -m bench.text_generator", summarise=ratios)
    given.state.mkdir(parents=True, exist_ok=True)
    if not given.summary:
        prepare(given.state)
        for seed in range(given.seeds):
            if "published" in given.arms:
                train_book(rows, given, arm="published", batch_size=256, learning_rate=1e-3, seed=seed)
            if "strongest" in given.arms:
                batch_size, learning_rate = strongest(rows, given)
                train_book(
                    rows,
                    given,
                    arm="strongest",
                    batch_size=batch_size,
                    learning_rate=learning_rate,
                    seed=seed,
                )
            if "openbook" in given.arms:
                train_openbook(rows, given, seed=seed)
    found = ratios(list(rows))
    if given.picture:
        from bench.text_curves import draw

        draw(list(rows), given.results.with_suffix(".png"))
    print(json.dumps({"ratios": found}, indent=1))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.text_generator", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two epochs of the book's arm, budgets to 90 s")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--arms", nargs="+", default=["published", "strongest", "openbook"])
    parser.add_argument(
        "--book-epochs", type=float, help="of the published form; until it stops improving if out"
    )
    parser.add_argument("--strongest-epochs", type=float, help="of the strongest form, likewise")
    parser.add_argument("--budgets", type=int, nargs="+", help="openbook's, in seconds")
    parser.add_argument("--book-backend", default="tensorflow")
    parser.add_argument(
        "--book-python", default=sys.executable, help="a Python that has that backend and Keras"
    )
    parser.add_argument("--results", type=Path, default=RESULTS / "text_generator.json")
    parser.add_argument("--state", type=Path, default=Path("build") / "bench-text-generator")
    parser.add_argument("--picture", action="store_true", help="draw the curves beside the results")
    parser.add_argument("--summary", action="store_true", help="only print what is there")
    parser.add_argument("--json", action="store_true", help="nothing else; the output is JSON as it is")
    return parser


def prepare(place: Path) -> None:
    """The reviews in normalised form, split once for both arms; in openbook's cache what no run fetches again."""
    if not (place / "train.json").exists():
        from openbook.data import load_texts

        texts = [normalised(text) for text in load_texts("imdb").texts]
        with (place / "reviews.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts if text)
        train_texts, held_out = load_texts(str(place / "reviews.jsonl")).split()
        (place / "held_out.json").write_text(json.dumps(held_out), "utf-8")
        (place / "train.json").write_text(json.dumps(train_texts), "utf-8")
    environment = fresh_process.environment(place / "cache", place / "runs")
    # What is measured once on a machine and then kept: its profile and its faster precision.
    train = ["train", "text-generator", "--data", str(place / "reviews.jsonl"), "--budget", "2s", "--quiet"]
    subprocess.run([*fresh_process.OPENBOOK, *train], env=environment, check=True, capture_output=True)


# The book's arm.


def strongest(rows: Rows, given: argparse.Namespace) -> tuple[int, float]:
    """Batch size and rate with the best score after the same part of an epoch, by a search with one seed."""
    for batch_size, learning_rate in SEARCHED:
        key = {"arm": "search", "batch_size": batch_size, "learning_rate": learning_rate}
        if rows.find(key) is None:
            state = given.state / f"search-{batch_size}-{learning_rate:g}"
            found = list(book_rows(given, state, batch_size, learning_rate, seed=0, part=0.5, until=0.5))
            rows.put(key, found[-1])
    best = min(
        (row for row in rows if row["key"]["arm"] == "search"), key=lambda row: float(row["bits_per_byte"])
    )
    return best["key"]["batch_size"], best["key"]["learning_rate"]


def train_book(
    rows: Rows, given: argparse.Namespace, *, arm: str, batch_size: int, learning_rate: float, seed: int
) -> None:
    """Train one form of the book's arm, or go on with it, until it is done."""
    wanted = given.book_epochs if arm == "published" else given.strongest_epochs
    until = wanted or (2.0 if given.quick else float("inf"))
    part = 1.0 if arm == "published" else 0.25
    key = {"arm": arm, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
    epochs: list[dict[str, Any]] = list((rows.find(key) or {"epochs": []})["epochs"])
    if epochs and (epochs[-1]["epoch"] >= until - 1e-6 or has_stopped(epochs)):
        return
    state = given.state / f"{arm}-{seed}"
    for row in book_rows(given, state, batch_size, learning_rate, seed=seed, part=part, until=until):
        epochs.append(row)
        rows.put(key, {"epochs": epochs})
        if has_stopped(epochs):
            break


def book_rows(
    given: argparse.Namespace,
    state: Path,
    batch_size: int,
    learning_rate: float,
    *,
    seed: int,
    part: float,
    until: float,
) -> Iterator[dict[str, Any]]:
    """Scores of the book's arm as its process prints them."""
    command = [given.book_python, "-m", "bench.book.text_generator", str(given.state)]
    options: Mapping[str, Any] = {
        "batch-size": batch_size,
        "learning-rate": learning_rate,
        "seed": seed,
        "part": part,
        "until": until,
        "state": state,
    }
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    environment = {**os.environ, **_MALLOC, "KERAS_BACKEND": given.book_backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                yield json.loads(line)
        finally:
            process.terminate()
    if process.returncode not in (0, -15):
        raise SystemExit(f"the book's arm ended with {process.returncode}")


# openbook's arm.


def train_openbook(rows: Rows, given: argparse.Namespace, *, seed: int) -> None:
    """A run for each budget."""
    for budget_s in given.budgets or (QUICK_BUDGETS_S if given.quick else BUDGETS_S):
        key = {"arm": "openbook", "budget_s": budget_s, "seed": seed}
        if rows.find(key) is None:
            rows.put(key, openbook_run(given.state.resolve(), budget_s=budget_s, seed=seed))


def openbook_run(place: Path, *, budget_s: int, seed: int) -> dict[str, Any]:
    """Train once and score what it learned as the book's arm is scored."""
    data = str(place / "reviews.jsonl")
    arguments = ["train", "text-generator", "--data", data, "--budget", f"{budget_s}s", "--seed", str(seed)]
    with fresh_process.fresh(place) as environment:
        output, _, memory_bytes = fresh_process.run([*arguments, "--json", "--quiet"], environment)
        path = Path(json.loads(output)["run"])
        record = json.loads((path / "run.json").read_text("utf-8"))
        score = normalised_score(path, json.loads((place / "held_out.json").read_text("utf-8")))
    phases, actual = record["actual"]["phases"], record["actual"]
    settings = {name: record["settings"][name] for name in ("size", "vocabulary_size", "precision")}
    return {
        "bits_per_byte": score,
        "train_s": phases["steps"],
        "total_s": round(actual["total_s"] - phases["finish"], 3),
        "steps": actual["steps"],
        "memory_bytes": memory_bytes,
        **settings,
    }


def normalised_score(run_path: Path, texts: Sequence[str]) -> float:
    """Bits for the first 100 words of each text, over their UTF-8 bytes; ends of texts cost nothing."""
    import jax
    import jax.numpy as jnp

    from openbook.recipes.text_generator import TOKENIZER_NAME
    from openbook.saved_models import load_model
    from openbook.text.tokenizer import Tokenizer
    from openbook.training.losses import token_nats

    model = load_model(run_path / "model.keras")
    tokenizer = Tokenizer.load(run_path / TOKENIZER_NAME)
    context = json.loads((run_path / "run.json").read_text("utf-8"))["settings"]["context_length"]

    @jax.jit
    def nats(inputs_BT: Any, targets_BT: Any, weights_BT: Any) -> Any:
        return jnp.sum(token_nats(model(inputs_BT), targets_BT) * weights_BT)

    cut = [" ".join(text.split()[:NUM_WORDS]) for text in texts]
    windows = [
        window
        for ids in tokenizer.encode_many(cut)
        for window in _windows([tokenizer.end_of_text, *ids], context)
    ]
    total = 0.0
    for start in range(0, len(windows), 64):
        batch = windows[start : start + 64]
        tokens_BT = np.zeros((64, context + 1), np.int32)
        weights_BT = np.zeros((64, context), np.float32)
        for row, (ids, num_seen) in enumerate(batch):
            tokens_BT[row, : len(ids)] = ids
            weights_BT[row, num_seen : len(ids) - 1] = 1.0
        total += float(nats(tokens_BT[:, :-1], tokens_BT[:, 1:], weights_BT))
    return total / np.log(2) / sum(len(text.encode()) for text in cut)


def _windows(ids: Sequence[int], context: int) -> Iterator[tuple[Sequence[int], int]]:
    """Pieces of at most context + 1 tokens, and how many of a piece's targets an earlier piece has covered."""
    yield ids[: context + 1], 0
    stride = context // 2
    for start in range(stride, len(ids) - context - 1 + stride, stride):
        yield ids[start : start + context + 1], context - stride


if __name__ == "__main__":
    main()
