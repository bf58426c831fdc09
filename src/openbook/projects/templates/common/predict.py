"""Ask the network: the one that train.py wrote, or the run's own while there is none."""

import sys
from pathlib import Path

import data
import model


def main() -> None:
    """Answer what stands on the command line."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: python predict.py {data.GIVEN}")
    paths = [Path(__file__).parent / name for name in ("model.keras", "run.keras")]
    # From model.py, because there the layers are that a saved network may name.
    network = model.keras.saving.load_model(next(path for path in paths if path.exists()), compile=False)
    print(data.answer(network.predict_on_batch(data.inputs_of(sys.argv[1]))[0]))


if __name__ == "__main__":
    main()
