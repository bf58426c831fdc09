"""Train the network of this project: the settings, the data and the order of the run it was started from."""

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
from model import Muon, build_model  #: if muon
from model import build_model  #: if not_muon

SEED = 0  #: fill
BATCH_SIZE = 128  #: fill
LEARNING_RATE = 2e-3  #: fill
WEIGHT_DECAY = 0.01  #: fill
# After these steps the validation examples are scored; the weights with the lowest of this number are kept.
CHECKED_STEPS = (25, 50, 75, 100)  #: fill
CHOSEN_BY = "loss"  #: fill
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
#: if folds
# One model for each fold, trained on the rows of the others for so many steps.
FOLD_STEPS = (100, 100, 100, 100)  #: fill
#: end
# What the run came to on the test examples, and how near to it another machine should come: see README.md.
RUN_SCORE = {"accuracy": 0.9}  #: fill
#: if folds
# What it came to over all folds.
RUN_FOLDS = {"mae": 2.5}  #: fill
#: end
COMPARED = "accuracy"  #: fill
TOLERANCE = 0.02  #: fill


class RateOverTheRun(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate of each step, counted from 0."""

    def __init__(self, num_steps: int) -> None:
        self.num_steps = num_steps

    def __call__(self, step: object) -> object:
        progress = keras.ops.cast(step, "float32") / self.num_steps
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

    def get_config(self) -> dict[str, int]:
        return {"num_steps": self.num_steps}


#: if folds
def compiled_model(seed: int = SEED, num_steps: int = NUM_STEPS) -> keras.Model:
    """The network with its loss and optimizer; the same seed gives the same first weights."""
    random.seed(seed)  # where Keras takes the seeds of its initializers from
    model = build_model()
    schedule = RateOverTheRun(num_steps)
    #: end
    #: if single


def compiled_model() -> keras.Model:
    """The network with its loss and optimizer; the same seed gives the same first weights."""
    random.seed(SEED)  # where Keras takes the seeds of its initializers from
    model = build_model()
    schedule = RateOverTheRun(NUM_STEPS)
    #: end
    #: if examples
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY, global_clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "embeddings"])
    #: end
    #: if muon
    optimizer = Muon(schedule, weight_decay=WEIGHT_DECAY or None)
    #: end
    #: if adamw
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY, beta_2=0.95, global_clipnorm=1.0)
    #: end
    #: if tokens
    optimizer.exclude_from_weight_decay(var_names=["scale", "mix", "embeddings"])
    #: end
    #: if classification segmentation tokens
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    #: end
    #: if multi_label
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    #: end
    #: if regression
    loss = keras.losses.MeanSquaredError()
    #: end
    model.compile(optimizer=optimizer, loss=loss)
    return model


def batches(examples: data.Examples, start: int, end: int) -> Iterator[tuple]:
    """The batches of some steps."""
    for step in range(start, end):
        yield examples.batch_at(step, BATCH_SIZE, SEED)


def train(model: keras.Model, splits: data.Splits) -> None:
    """Train to the end; the model then has the weights that were best on the validation examples."""
    best, best_weights, start = math.inf, model.get_weights(), 0
    for end in CHECKED_STEPS:
        model.fit(batches(splits.train, start, end), steps_per_epoch=end - start, shuffle=False, verbose=0)
        now = score(model, splits.validation)
        print(f"step {end}/{CHECKED_STEPS[-1]}: validation {shown(now)}", flush=True)
        if now[CHOSEN_BY] < best:
            best, best_weights = now[CHOSEN_BY], model.get_weights()
        start = end
    model.set_weights(best_weights)


#: if examples
def score(model: keras.Model, examples: data.Examples) -> dict[str, float]:
    """How well the model tells the targets of some examples."""
    pairs = [(model.predict_on_batch(inputs), targets) for inputs, targets in examples.in_batches(BATCH_SIZE)]
    outputs, targets = (np.concatenate(each) for each in zip(*pairs, strict=True))
    #: end
    #: if classification
    losses = keras.losses.sparse_categorical_crossentropy(targets, outputs, from_logits=True)
    return {
        "accuracy": float(np.mean(outputs.argmax(axis=-1) == targets)),
        "loss": float(np.mean(losses)),
    }
    #: end
    #: if multi_label
    says, is_so = outputs > 0, targets > 0.5
    return {
        "accuracy": float(np.mean(says == is_so)),
        "all_right": float(np.mean((says == is_so).all(axis=1))),
        "f1": 2 * float((says & is_so).sum()) / max(1, int(says.sum() + is_so.sum())),
        "loss": float(np.mean(keras.losses.binary_crossentropy(targets, outputs, from_logits=True))),
    }
    #: end
    #: if segmentation
    num_classes = outputs.shape[-1]
    losses = keras.losses.sparse_categorical_crossentropy(targets, outputs, from_logits=True)
    pairs = targets.astype(int) * num_classes + outputs.argmax(axis=-1)
    # How often each class (row) was taken for each (column).
    confusion = np.bincount(pairs.ravel(), minlength=num_classes**2).reshape(num_classes, num_classes)
    hits = confusion.diagonal()
    unions = confusion.sum(axis=0) + confusion.sum(axis=1) - hits
    return {
        "iou": float(np.mean(hits[unions > 0] / unions[unions > 0])),
        "accuracy": float(hits.sum() / confusion.sum()),
        "loss": float(np.mean(losses)),
    }
    #: end
    #: if regression
    errors = outputs[:, 0] - targets
    mean_square = float(np.mean(np.square(errors)))
    # Targets are standardised; the errors are told in their own unit.
    return {
        "mae": examples.scale * float(np.mean(np.abs(errors))),
        "rmse": examples.scale * math.sqrt(mean_square),
        "loss": mean_square,
    }
    #: end
    #: if tokens


def score(model: keras.Model, stream: data.Examples) -> dict[str, float]:
    """How well the model tells each token of a held-out text from those before it."""
    nats = num_right = num_tokens = 0.0
    for inputs, targets, is_scored in stream.windows(BATCH_SIZE):
        logits = model.predict_on_batch(inputs)
        losses = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
        nats += float(np.sum(np.asarray(losses) * is_scored))
        num_right += float(np.sum((logits.argmax(axis=-1) == targets) * is_scored))
        num_tokens += float(is_scored.sum())
    return {
        # Information needed for a byte of text, whatever the tokens are.
        "bits_per_byte": nats / math.log(2) / stream.num_bytes,
        "loss": nats / num_tokens,
        "accuracy": num_right / num_tokens,
    }
    #: end


def shown(numbers: dict[str, float]) -> str:
    """A score in words."""
    return ", ".join(f"{name} {value:.4g}" for name, value in numbers.items())


def compared(numbers: dict[str, float], expected: dict[str, float]) -> str:
    """What the run had, and whether that is as near as it should be."""
    is_near = abs(numbers[COMPARED] - expected[COMPARED]) <= TOLERANCE
    word = "within" if is_near else "outside"
    return f"the run had {COMPARED} {expected[COMPARED]:.4g}; that is {word} the tolerance of {TOLERANCE:.4g}"


#: if folds
def train_folds() -> dict[str, float]:
    """Each row told by a model that has not seen its fold: what K-fold says of such models."""
    errors = []
    for fold, num_steps in enumerate(FOLD_STEPS):
        examples, other_fold = data.load_fold(fold)
        model = compiled_model(SEED + fold + 1, num_steps)
        model.fit(batches(examples, 0, num_steps), steps_per_epoch=num_steps, shuffle=False, verbose=0)
        for inputs, targets in other_fold.in_batches(BATCH_SIZE):
            errors.extend(other_fold.scale * (model.predict_on_batch(inputs)[:, 0] - targets))
        print(f"fold {fold + 1} of {len(FOLD_STEPS)}: done", flush=True)
    return {"mae": float(np.mean(np.abs(errors))), "rmse": float(np.sqrt(np.mean(np.square(errors))))}


#: end
def main() -> None:
    """Train, score on the test examples, and keep the model and its score beside this file."""
    splits = data.load()
    model = compiled_model()
    train(model, splits)
    numbers = score(model, splits.test)
    print(f"held-out: {shown(numbers)}")
    print(compared(numbers, RUN_SCORE))
    folder = Path(__file__).parent
    model.save(folder / "model.keras")
    #: if folds
    over_folds = train_folds()
    print(f"{len(FOLD_STEPS)} folds: {shown(over_folds)}")
    print(compared(over_folds, RUN_FOLDS))
    numbers |= {f"{name}_of_folds": value for name, value in over_folds.items()}
    #: end
    (folder / "score.json").write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
