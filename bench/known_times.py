"""The forecast for machines that are known by published figures alone, against times that people printed.

`python -m bench.known_times`: the book's text generator, an epoch of 100,000 reviews, on the two kinds of machine
whose times its readers have published. No constant of the forecast was fitted to these.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from bench.book import text_generator as book
from openbook.forecasting.abstract_model import compiled, read_step
from openbook.forecasting.profiles import reference_devices
from openbook.forecasting.reference import reference_profile
from openbook.forecasting.step_time import time_of

RESULTS = Path(__file__).parent / "results" / "known_times.json"
# Seconds an epoch, as published: lowest and highest.
KNOWN_S = {"rtx-3070-laptop": (86.0, 90.0), "t4": (165.0, 165.0)}


def main() -> None:
    """Forecast, compare, and keep the result."""
    tokens = np.zeros((book.BATCH_SIZE, book.CONTEXT_LENGTH), np.int32)
    step = compiled(read_step(book.build, book.optimizer, book.loss, (tokens, tokens)))
    assert step.num_parameters == book.NUM_PARAMETERS, step.num_parameters
    steps_per_epoch = -(-book.NUM_REVIEWS // book.BATCH_SIZE)
    rows = []
    for name, (low_s, high_s) in KNOWN_S.items():
        figures = reference_devices()[name]
        duration = time_of(
            step.program, step.cost, reference_profile(name, figures), fused_bytes=step.fused_bytes
        )
        epoch_s = steps_per_epoch * duration.total
        known_s = (low_s + high_s) / 2
        rows.append(
            {
                "machine": figures["label"],
                "forecast_epoch_s": round(epoch_s, 1),
                "published_epoch_s": [low_s, high_s],
                "error": round(epoch_s / known_s - 1.0, 3),
                "products_share": round(duration.products / duration.total, 3),
            }
        )
    content: dict[str, Any] = {
        "command": "python -m bench.known_times",
        "gflop_per_step": round(step.cost.operations / 1e9, 1),
        "gb_per_step": round((step.fused_bytes or 0.0) / 1e9, 2),
        "rows": rows,
    }
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
