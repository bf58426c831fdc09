"""The book's text generator (chapter 12), with the causal mask that Keras 3 no longer passes on by itself.

15,000 words, 100 tokens, one block of two attentions with 2 heads of 256, feed-forward 2048, embeddings of 256,
post-norm, RMSprop at a constant rate, batches of 256: 9,825,176 parameters.

`python -m bench.book.text_generator FOLDER` trains it on the texts of `FOLDER/train.json` and scores it on those
of `FOLDER/held_out.json`, on whatever backend `KERAS_BACKEND` names; it imports nothing of openbook.
`bench.text_generator` calls it.
"""

# B = batch, T = time, V = vocabulary

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.book.words import PADDING, Words

VOCABULARY_SIZE = 15_000
CONTEXT_LENGTH = 100
BATCH_SIZE = 256
NUM_REVIEWS = 100_000
WIDTH, NUM_HEADS, HEAD_DIM, FEED_FORWARD_UNITS = 256, 2, 256, 2048
NUM_PARAMETERS = 9_825_176


def build() -> Any:
    """The functional model: tokens (B, T) → probabilities of the next token (B, T, V)."""
    import keras
    from keras import layers

    class Positions(layers.Layer):  # type: ignore[misc]
        """Adds a learned vector for each position."""

        def build(self, input_shape: Any) -> None:
            self.vectors = layers.Embedding(CONTEXT_LENGTH, WIDTH, name="positions")
            self.vectors.build((None,))

        def call(self, hidden: Any) -> Any:
            return hidden + self.vectors(keras.ops.arange(keras.ops.shape(hidden)[1]))

    tokens = keras.Input((CONTEXT_LENGTH,), dtype="int32", name="tokens")
    hidden = layers.Embedding(VOCABULARY_SIZE, WIDTH, name="token_embedding")(tokens)
    hidden = Positions(name="position_embedding")(hidden)
    inputs = hidden
    for number in (1, 2):
        # The decoder attends to its own inputs twice; in a translator the second time goes to the other sentence.
        attention = layers.MultiHeadAttention(NUM_HEADS, HEAD_DIM, name=f"attention_{number}")
        attended = attention(hidden, inputs, inputs, use_causal_mask=True)
        hidden = layers.LayerNormalization(name=f"attention_norm_{number}")(hidden + attended)
    projected = layers.Dense(FEED_FORWARD_UNITS, activation="relu", name="expand")(hidden)
    projected = layers.Dense(WIDTH, name="contract")(projected)
    hidden = layers.LayerNormalization(name="feed_forward_norm")(hidden + projected)
    hidden = layers.Dropout(0.5, name="dropout")(hidden)
    probabilities = layers.Dense(VOCABULARY_SIZE, activation="softmax", name="next_token")(hidden)
    return keras.Model(tokens, probabilities, name="book_text_generator")


def optimizer(learning_rate: float = 0.001) -> Any:
    """RMSprop at a constant rate, by default at Keras' own."""
    import keras

    return keras.optimizers.RMSprop(learning_rate)


def loss(probabilities_BTV: Any, targets_BT: Any) -> Any:
    """Mean cross-entropy in nats, from probabilities, as the book has it."""
    import keras

    return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(targets_BT, probabilities_BTV))


def bits_per_byte(model: Any, words: Words, texts: list[str]) -> float:
    """Bits for the first 100 words of normalised texts, over their UTF-8 bytes; ends of texts cost nothing."""
    ids_NT = words.encode(texts, length=CONTEXT_LENGTH + 1)
    is_word_NT = ids_NT[:, 1:CONTEXT_LENGTH] != PADDING
    bits = float(words.first_bits[ids_NT[:, 0]].sum())
    for start in range(0, len(texts), 64):
        rows = slice(start, start + 64)
        shares_BTV = np.asarray(model.predict_on_batch(ids_NT[rows, :CONTEXT_LENGTH]))
        targets_BT = ids_NT[rows, 1:CONTEXT_LENGTH]
        shares_BT = np.take_along_axis(shares_BTV[:, :-1], targets_BT[..., None], axis=-1)[..., 0]
        bits -= float((np.log2(np.maximum(shares_BT, 1e-30)) * is_word_NT[rows]).sum())
    bits += words.hidden_bits(texts, length=CONTEXT_LENGTH)
    size = sum(len(" ".join(text.split()[:CONTEXT_LENGTH]).encode()) for text in texts)
    return bits / size


def train(
    texts: list[str],
    held_out: list[str],
    *,
    batch_size: int,
    learning_rate: float,
    seed: int,
    part: float,
    state: Path,
) -> Iterator[dict[str, float]]:
    """Train on and on; a score after each part of an epoch. What `state` holds is not trained again.

    Args:
        part: share of an epoch between two scores.
        state: folder for the weights, the optimizer's state and the times so far.
    Returns:
        rows of `epoch`, `train_s` (batches alone), `total_s` (reading, word list and compiling too; no scores).
    """
    import keras

    begin_s = time.perf_counter()
    words = Words.of(texts, vocabulary_size=VOCABULARY_SIZE)
    ids_NT = words.encode(texts, length=CONTEXT_LENGTH + 1)
    keras.utils.set_random_seed(seed)
    saved, times = state / "model.weights.h5", state / "times.json"
    model = build()
    model.compile(optimizer(learning_rate), loss="sparse_categorical_crossentropy")
    steps_per_epoch = len(texts) // batch_size
    per_part = max(1, round(part * steps_per_epoch))
    # The first batch is trained twice: once here, to compile, and its weights are put back.
    weights = model.get_weights()
    first = ids_NT[:batch_size]
    model.train_on_batch(first[:, :-1], first[:, 1:])
    model.set_weights(weights)
    for variable in model.optimizer.variables:
        if not variable.path.endswith("learning_rate"):
            variable.assign(keras.ops.zeros_like(variable))
    step, train_s, total_s = 0, 0.0, time.perf_counter() - begin_s
    if saved.exists():
        known = json.loads(times.read_text("utf-8"))
        step, train_s, total_s = known["step"], known["train_s"], known["total_s"]
        model.load_weights(saved)
        with np.load(state / "optimizer.npz") as arrays:
            for number, variable in enumerate(model.optimizer.variables):
                variable.assign(arrays[f"v{number}"])
    while True:
        begin_s = time.perf_counter()
        for _ in range(per_part):
            epoch, position = divmod(step, steps_per_epoch)
            order = np.random.default_rng([seed, epoch]).permutation(len(texts))
            batch = ids_NT[order[position * batch_size : (position + 1) * batch_size]]
            model.train_on_batch(batch[:, :-1], batch[:, 1:])
            step += 1
        duration_s = time.perf_counter() - begin_s
        train_s, total_s = train_s + duration_s, total_s + duration_s
        score = bits_per_byte(model, words, held_out)
        state.mkdir(parents=True, exist_ok=True)
        model.save_weights(saved)
        np.savez(
            state / "optimizer.npz",
            **{f"v{number}": np.asarray(each) for number, each in enumerate(model.optimizer.variables)},
        )
        times.write_text(json.dumps({"step": step, "train_s": train_s, "total_s": total_s}), "utf-8")
        yield {
            "epoch": step / steps_per_epoch,
            "train_s": train_s,
            "total_s": total_s,
            "bits_per_byte": score,
        }


def main() -> None:
    """Train as told, a JSON object a line for each score."""
    parser = argparse.ArgumentParser(prog="python -m bench.book.text_generator")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", type=float, default=1.0, help="share of an epoch between two scores")
    parser.add_argument("--until", type=float, required=True, help="number of epochs")
    parser.add_argument("--state", type=Path, required=True)
    given = parser.parse_args()
    texts, held_out = (
        json.loads((given.folder / name).read_text("utf-8")) for name in ("train.json", "held_out.json")
    )
    rows = train(
        texts,
        held_out,
        batch_size=given.batch_size,
        learning_rate=given.learning_rate,
        seed=given.seed,
        part=given.part,
        state=given.state,
    )
    for row in rows:
        print(json.dumps(row), flush=True)
        if row["epoch"] >= given.until - 1e-6:
            break


if __name__ == "__main__":
    main()
