"""A project from a run of the recipe text-classifier: its texts as a CSV table, and the run's vocabulary."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path

from openbook.data.split import split_by_content
from openbook.errors import UsageError
from openbook.projects.pieces import Pieces
from openbook.projects.run_again import read_again, sha256_of, sides_in_words, tolerance_of
from openbook.runs import Run

_DATA, _VOCABULARY = "data/texts.csv", "data/vocabulary.json"


def pieces_of(run: Run, folder: Path) -> Iterator[Pieces]:
    """The texts and the vocabulary go into the folder.

    Raises:
        UsageError: a label has the name of another column.
    """
    again = read_again(run)
    data, splits, settings = again.data, again.splits, again.settings
    facts = splits.facts
    sides = sides_in_words(
        len(data.texts), split_by_content(data.hashes, held_out_share=again.recipe.held_out_share)
    )
    path = folder / _DATA
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if data.is_multi_label:
            taken = {"text", "side"} & set(data.classes)
            if taken:
                raise UsageError(
                    f"{run.name} has a label {taken.pop()!r}, and the table of its project has a column of that "
                    f"name. Call the label something else and train anew"
                )
            writer.writerow(["text", *data.classes, "side"])
            for text, labels, side in zip(data.texts, data.labels, sides, strict=True):
                writer.writerow([text, *map(int, labels), side])
        else:
            writer.writerow(["text", "label", "side"])
            for text, label, side in zip(data.texts, data.labels, sides, strict=True):
                writer.writerow([text, data.classes[int(label)], side])
    is_bag = facts["kind"] == "bag"
    vocabulary = dict(zip(facts["terms"], facts["idf"], strict=True)) if is_bag else facts["words"]
    (folder / _VOCABULARY).write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    parts = ["named" if is_bag else "array", "bag" if is_bag else "sequence"]
    if is_bag:
        parts += ["pairs" if settings["ngrams"] == 2 else "words", "tf_idf" if settings["tf_idf"] else "flat"]
    accuracy = float(run.section("score")["accuracy"])
    num_test = len(splits.test)
    spread = max(accuracy * (1 - accuracy), 1 / num_test)
    tolerance = 2 * math.sqrt(2 * spread / num_test)
    if data.is_multi_label:
        tolerance = tolerance_of(again, of_each=splits.goal.losses)
    num_special = 1 if is_bag else 2
    yield Pieces(
        template="text_classifier",
        goal="multi_label" if data.is_multi_label else "classification",
        constants={
            "DATA": _DATA,
            "VOCABULARY": _VOCABULARY,
            "FINGERPRINT": sha256_of(path),
            "CLASSES": tuple(data.classes),
            "VOCABULARY_SIZE": settings["vocabulary_size"],
            "MAX_TERMS" if is_bag else "MAX_WORDS": settings["max_tokens"],
            "HELD_OUT_SHARE": settings["held_out_share"],
        },
        parts=(*parts, *([] if data.is_multi_label else ["one_label"])),
        num_test=num_test,
        tolerance=tolerance,
        about=f"A {settings['model']} model that tells {len(data.classes)} labels of texts apart",
        given='"a text"',
        data=_DATA,
        data_note="the texts as the run had them, with the side of the split that each is on; beside it the words "
        "that are known",
        examples="texts",
        own_data="write your texts to `data/texts.csv` in the same columns, without `side` (then the sides are "
        "drawn), delete `data/vocabulary.json` (it is made anew) and name your labels in `CLASSES` at the top of "
        "`data.py`. Then make `model.py` fit: the last layer has as many units as there are labels, and the "
        f"embedding as many rows as the new vocabulary has entries, and {num_special} more.",
    )
