"""Score networks on the test examples: the run's own weights, and those that train.py wrote."""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras

import data
import train


def main() -> None:
    """Say the score of each model that is there."""
    test = data.load().test
    for path in (Path(__file__).parent / name for name in ("run.keras", "model.keras")):
        if path.exists():
            model = keras.saving.load_model(path, compile=False)
            numbers = train.score(model, test)
            print(f"{path.name}: {train.shown(numbers)}")
            print(train.compared(numbers, train.RUN_SCORE))


if __name__ == "__main__":
    main()
