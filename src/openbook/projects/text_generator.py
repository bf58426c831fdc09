"""A project from a run of the recipe text-generator: its texts as a CSV table, and its tokenizer."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openbook.errors import UsageError
from openbook.projects.filling import filled
from openbook.projects.pieces import Pieces
from openbook.projects.run_again import read_again, sha256_of
from openbook.recipes.text_generator import TOKENIZER_NAME
from openbook.recipes.text_scratch import ADAM_RATES, TIED_ADAM_RATES, FromScratch
from openbook.runs import Run
from openbook.saved_models import load_model

_DATA, _TOKENIZER = "data/texts.csv", "data/tokenizer.json"
# Scores of language models differ by less between machines, and their tokens are not independent of each other.
_TOLERANCE_SHARE = 0.02


def pieces_of(run: Run, folder: Path) -> Iterator[Pieces]:
    """The texts and the tokenizer go into the folder.

    Raises:
        UsageError: the run fine-tuned a model that others made.
    """
    settings = run.section("settings")
    if settings.get("start"):
        raise UsageError(
            f"{run.name} fine-tuned {settings['start']}, whose network and tokenizer a short project cannot hold. "
            f"Take its model with: openbook export {run.name}. A run without --start becomes a project"
        )
    again = read_again(run)
    data = again.data
    path = folder / _DATA
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["text", "side"])
        writer.writerows([text, "train"] for text in data.train_texts)
        writer.writerows([text, "test"] for text in data.held_out_texts)
    shutil.copyfile(run.path / TOKENIZER_NAME, folder / _TOKENIZER)
    score = run.section("score")
    optimizer = str(settings.get("optimizer", "adamw"))
    yield Pieces(
        template="text_generator",
        goal="tokens",
        constants={
            "DATA": _DATA,
            "TOKENIZER": _TOKENIZER,
            "FINGERPRINT": sha256_of(path),
            "CONTEXT_LENGTH": settings["context_length"],
            "HELD_OUT_SHARE": settings["held_out_share"],
            "SCORED_BYTES": FromScratch.scored_bytes,
            "COMPARED_BYTES": FromScratch.compared_bytes,
        },
        parts=(optimizer,),
        model=_model(run, optimizer),
        num_test=int(score["num_tokens"]),
        tolerance=_TOLERANCE_SHARE * float(score["bits_per_byte"]),
        tolerance_words="2% of the score",
        packages=("tokenizers",),
        about="A small Transformer that writes, one token after another",
        given='"The beginning"',
        data=_DATA,
        data_note="the texts as the run had them, with the side of the split that each is on; beside it the "
        "tokenizer",
        examples="tokens",
        own_data="write your texts to `data/texts.csv`, without the column `side` (then the sides are drawn). The "
        "tokenizer, which the package `tokenizers` reads, was learned from the run's texts; it can write down any "
        "text, and writes yours down in more tokens than one of their own. `predict.py` draws each token from "
        "the whole network anew, without the repetition penalty of `openbook try`: it writes other texts.",
        notes=" Products are taken of bfloat16 numbers as in the run, but gradients are rounded elsewhere, so "
        "the score differs a little even on the same machine."
        if settings["precision"] == "bfloat16"
        else "",
    )


def _model(run: Run, optimizer: str) -> str:
    settings = run.section("settings")
    is_tied = bool(settings["tied_output"])
    embedding = load_model(run.model_path).get_layer("token_embedding")
    constants: dict[str, Any] = {
        "VOCABULARY_SIZE": int(embedding.embeddings.shape[0]),
        "NUM_BLOCKS": settings["num_blocks"],
        "WIDTH": settings["width"],
        "NUM_HEADS": settings["num_heads"],
        "FEED_FORWARD_UNITS": settings["feed_forward_units"],
        "ROTARY_BASE": settings["rotary_base"],
    }
    if not is_tied:
        constants["NUM_PAIR_ROWS"] = int(embedding.num_pair_rows)
    if optimizer == "muon":
        rates = TIED_ADAM_RATES if is_tied else ADAM_RATES
        constants["RATES"] = dict(rates)
    parts = ("tied" if is_tied else "pairs", optimizer, str(settings["precision"]))
    return filled("text_generator/model.py", constants=constants, parts=parts)
