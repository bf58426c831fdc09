"""Tokens a second that a finished text generator writes: `python -m bench.text_generation RUN`.

Texts are written one after another, from nothing, with the settings of `openbook try`; the first, which compiles,
is not counted, and neither are texts that end soon, since starting a text takes its time. Prints the median and
the range. The machine should be idle.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

_SHORTEST = 60


def main() -> None:
    """Write, and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m bench.text_generation", description=__doc__)
    parser.add_argument("run", help="a finished run of text-generator: its name, its path, or last")
    parser.add_argument("--texts", type=int, default=40)
    parser.add_argument("--max-tokens", type=int, default=300, help="of each text")
    given = parser.parse_args()
    print(json.dumps(measure(given.run, num_texts=given.texts, max_tokens=given.max_tokens), indent=1))


def measure(name: str, *, num_texts: int, max_tokens: int) -> dict[str, Any]:
    """The speed of each text, summed up."""
    from openbook.recipes.backend import prepare_backend
    from openbook.recipes.text_generator import TOKENIZER_NAME, writer_of
    from openbook.runs import find_run
    from openbook.text.sampling import Decoding
    from openbook.text.tokenizer import Tokenizer

    prepare_backend()
    run = find_run(name)
    tokenizer, writer = Tokenizer.load(run.path / TOKENIZER_NAME), writer_of(run)
    speeds = []
    for seed in range(num_texts + 1):
        begin_s = time.perf_counter()
        text = writer.text("", Decoding(max_tokens=max_tokens, seed=seed))
        duration_s = time.perf_counter() - begin_s
        num_tokens = len(tokenizer.encode(text))
        if seed and num_tokens >= _SHORTEST:
            speeds.append(num_tokens / duration_s)
    if not speeds:
        raise SystemExit(f"no text had {_SHORTEST} tokens; write more with --texts")
    return {
        "run": run.name,
        "texts": len(speeds),
        "tokens_per_s": round(statistics.median(speeds)),
        "range": [round(min(speeds)), round(max(speeds))],
    }


if __name__ == "__main__":
    main()
