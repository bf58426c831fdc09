"""Train the network of this project: the settings, the data and the order of the run it was started from."""

# N = examples, B = batch

import json
import math
import os
import random
from collections.abc import Iterator
from pathlib import Path

# Keras reads its backend when it is imported.
os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

import data

SEED = 0  #: fill
BATCH_SIZE = 128  #: fill
LEARNING_RATE = 2e-3  #: fill
WEIGHT_DECAY = 0.01  #: fill
# After these steps the validation examples are scored, and the best weights are kept.
CHECKED_STEPS = (25, 50, 75, 100)  #: fill
# The learning rate goes over so many steps.
NUM_STEPS = 100  #: fill
#: if trapezoid cosine step
# Share of the run in which the learning rate rises.
WARM_UP_SHARE = 0.03  #: fill
#: end
#: if trapezoid
# Share of the run, at its end, in which it falls to zero.
DECAY_SHARE = 0.7  #: fill
#: end
# What the run came to. The same on the same machine up to rounding; elsewhere, two standard errors of the
# difference of two shares.
RUN_SCORE = {"accuracy": 0.9}  #: fill
TOLERANCE = 0.02  #: fill


#: source model
def build_model() -> keras.Model:
    """The network, untrained."""
    pictures = keras.Input((data.SIDE, data.SIDE, 1), name="pictures")
    pixels = keras.layers.Flatten(name="pixels")(pictures)
    logits = keras.layers.Dense(len(data.CLASSES), name="logits")(pixels)
    return keras.Model(pictures, logits, name="digits")


#: end


class RateOverTheRun(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate of each step."""

    def __call__(self, step: object) -> object:
        """Rate of a step, counted from 0."""
        progress = keras.ops.cast(step, "float32") / NUM_STEPS
        #: if constant
        return LEARNING_RATE * keras.ops.ones_like(progress)
        #: end
        #: if trapezoid cosine step
        rising = (progress + 1e-3) / (WARM_UP_SHARE + 1e-3)
        #: end
        #: if trapezoid
        falling = (1.0 - progress) / DECAY_SHARE
        #: end
        #: if cosine
        falling = 0.5 * (1.0 + keras.ops.cos(math.pi * progress))
        #: end
        #: if step
        falling = keras.ops.where(progress < 0.5, 1.0, keras.ops.where(progress < 0.75, 0.1, 0.01))
        #: end
        #: if trapezoid cosine step
        return LEARNING_RATE * keras.ops.clip(keras.ops.minimum(rising, falling), 0.0, 1.0)
        #: end

    def get_config(self) -> dict[str, object]:
        """Nothing: all its numbers stand above."""
        return {}


def compiled_model() -> keras.Model:
    """The network with its loss and optimizer; the same seed gives the same first weights."""
    random.seed(SEED)  # where Keras takes the seeds of its initializers from
    model = build_model()
    optimizer = keras.optimizers.AdamW(RateOverTheRun(), weight_decay=WEIGHT_DECAY, global_clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    return model


def batches(examples: data.Examples, start: int, end: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The batches of some steps; each epoch has an order of its own, which the seed decides."""
    steps_per_epoch = max(1, len(examples.labels) // BATCH_SIZE)
    for step in range(start, end):
        epoch, position = divmod(step, steps_per_epoch)
        order = np.random.default_rng([SEED, epoch]).permutation(len(examples.labels))
        chosen = order[position * BATCH_SIZE :][:BATCH_SIZE]
        if len(chosen) < BATCH_SIZE:  # fewer examples than a batch takes
            chosen = np.resize(chosen, BATCH_SIZE)
        yield examples.pictures[chosen], examples.labels[chosen]


def train(model: keras.Model, splits: data.Splits) -> None:
    """Train to the end; the model then has the weights that were best on the validation examples."""
    best_loss, best_weights, start = math.inf, model.get_weights(), 0
    for end in CHECKED_STEPS:
        model.fit(batches(splits.train, start, end), steps_per_epoch=end - start, shuffle=False, verbose=0)
        loss, accuracy = model.evaluate(*splits.validation, batch_size=BATCH_SIZE, verbose=0)
        print(
            f"step {end}/{CHECKED_STEPS[-1]}: validation loss {loss:.4f}, accuracy {accuracy:.1%}", flush=True
        )
        if loss < best_loss:
            best_loss, best_weights = loss, model.get_weights()
        start = end
    model.set_weights(best_weights)


def main() -> None:
    """Train, score on the test examples, and keep the model and its score beside this file."""
    splits = data.load()
    model = compiled_model()
    train(model, splits)
    loss, accuracy = model.evaluate(*splits.test, batch_size=BATCH_SIZE, verbose=0)
    folder = Path(__file__).parent
    model.save(folder / "model.keras")
    score = {"accuracy": accuracy, "loss": loss}
    (folder / "score.json").write_text(json.dumps(score, indent=2) + "\n", encoding="utf-8")
    print(f"held-out: {accuracy:.1%} of {len(splits.test.labels):,} are right, loss {loss:.4f}")
    difference = abs(accuracy - RUN_SCORE["accuracy"])
    word = "within" if difference <= TOLERANCE else "outside"
    print(f"the run had {RUN_SCORE['accuracy']:.1%}; that is {word} the tolerance of {TOLERANCE:.1%}")


if __name__ == "__main__":
    main()
