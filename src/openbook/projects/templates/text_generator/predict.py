"""Let the network write: the one that train.py wrote, or the run's own while there is none."""

import sys
from pathlib import Path

import numpy as np

import data
import model

NUM_TOKENS = 80
# Below 1 what is probable becomes more so.
TEMPERATURE = 0.7
# Only the most probable tokens that together reach this probability.
TOP_P = 0.9


def drawn(logits: np.ndarray, rng: np.random.Generator) -> int:
    """A token, drawn by its probability."""
    shares = np.exp((logits - logits.max()) / TEMPERATURE)
    order = np.argsort(-shares)
    cumulative = np.cumsum(shares[order]) / shares.sum()
    kept = order[: int(np.searchsorted(cumulative, TOP_P)) + 1]
    return int(rng.choice(kept, p=shares[kept] / shares[kept].sum()))


def main() -> None:
    """Go on with the text on the command line."""
    begun = sys.argv[1] if len(sys.argv) > 1 else ""
    paths = [Path(__file__).parent / name for name in ("model.keras", "run.keras")]
    # From model.py, because there the layers are that a saved network names.
    network = model.keras.saving.load_model(next(path for path in paths if path.exists()), compile=False)
    tokenizer, rng = data.tokenizer(), np.random.default_rng(0)
    end_of_text = tokenizer.token_to_id(data.END_OF_TEXT)
    tokens = [end_of_text, *tokenizer.encode(begun).ids]
    for _ in range(NUM_TOKENS):
        seen = tokens[-data.CONTEXT_LENGTH :]
        # One shape for all lengths, so that nothing is compiled anew; the network does not look ahead.
        padded = np.array([seen + [0] * (data.CONTEXT_LENGTH - len(seen))], np.int32)
        tokens.append(drawn(network.predict_on_batch(padded)[0, len(seen) - 1].astype(np.float64), rng))
        if tokens[-1] == end_of_text:
            break
    print(tokenizer.decode(tokens, skip_special_tokens=True))


if __name__ == "__main__":
    main()
