"""A little data of each recipe's kind, for the contracts: made here, so that they need no network."""

import dataclasses
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from llama_samples import write_llama


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """What a recipe is tried with.

    Attributes:
        data: path of the data.
        given: what a person would give to `openbook try`.
        settings: small ones; one mapping for each variant of the recipe.
        broken: path of data of this kind that cannot be learned from.
    """

    data: Path
    given: str
    settings: tuple[Mapping[str, Any], ...]
    broken: Path


def _texts(folder: Path) -> Sample:
    texts = random.Random(0)
    words = [
        "the",
        "a",
        "film",
        "story",
        "plot",
        "actor",
        "was",
        "is",
        "not",
        "very",
        "good",
        "bad",
        "long",
        "short",
        "and",
        "but",
    ]
    (folder / "texts").mkdir()
    for number in range(60):
        text = " ".join(texts.choice(words) for _ in range(60))
        (folder / "texts" / f"{number}.txt").write_text(text, encoding="utf-8")
    (folder / "empty.txt").write_text(" ")
    small = {
        "size": "tiny",
        "width": 32,
        "num_blocks": 1,
        "vocabulary_size": 300,
        "context_length": 16,
        "batch_size": 8,
        "precision": "float32",
    }
    pretrained = {
        "start": str(write_llama(folder / "llama")),
        "lora_rank": 2,
        "context_length": 16,
        "batch_size": 8,
        "precision": "float32",
    }
    return Sample(
        data=folder / "texts", given="the film", settings=(small, pretrained), broken=folder / "empty.txt"
    )


def _shapes(folder: Path) -> Sample:
    """Bright circles and squares on black, a folder for each."""
    rng = np.random.default_rng(0)
    for name in ("circle", "square"):
        (folder / "shapes" / name).mkdir(parents=True)
        for number in range(40):
            picture = Image.new("L", (40, 40))
            left, top, size = rng.integers(2, 14), rng.integers(2, 14), rng.integers(12, 24)
            box = [int(left), int(top), int(left + size), int(top + size)]
            drawing = ImageDraw.Draw(picture)
            (drawing.ellipse if name == "circle" else drawing.rectangle)(
                box, fill=int(rng.integers(120, 256))
            )
            picture.save(folder / "shapes" / name / f"{number}.png")
    (folder / "one" / "class").mkdir(parents=True)
    (folder / "one" / "class" / "1.png").write_bytes((folder / "shapes" / "circle" / "1.png").read_bytes())
    small = {"side": 12, "batch_size": 8}
    return Sample(
        data=folder / "shapes",
        given=str(folder / "shapes" / "circle" / "3.png"),
        settings=(
            {**small, "model": "dense", "hidden_units": 16},
            {**small, "model": "convnet", "num_filters": 4},
        ),
        broken=folder / "one",
    )


def _labelled_texts(folder: Path) -> Sample:
    """Sentences whose mood is in one word of them, in a table."""
    texts = random.Random(0)
    words = [
        "the",
        "a",
        "film",
        "story",
        "plot",
        "actor",
        "was",
        "is",
        "not",
        "very",
        "long",
        "short",
        "and",
        "but",
    ]
    rows = ["text,label"]
    for number in range(120):
        mood = ("bad", "good")[number % 2]
        rows.append(f"{' '.join([*texts.choices(words, k=texts.randint(4, 30)), mood])},{mood}")
    (folder / "texts.csv").write_text("\n".join(rows))
    (folder / "one.csv").write_text("text,label\na good film,good\na good story,good\n")
    small = {"vocabulary_size": 60, "max_tokens": 16, "embedding_size": 8, "batch_size": 8}
    return Sample(
        data=folder / "texts.csv",
        given="the film was good",
        settings=(
            {**small, "model": "bag"},
            {**small, "model": "lstm", "hidden_units": 4},
            {**small, "model": "transformer", "hidden_units": 8},
        ),
        broken=folder / "one.csv",
    )


def _hours(folder: Path) -> Sample:
    """Two stations that measure every hour: a daily wave, a slow drift and noise."""
    rng = np.random.default_rng(0)
    start = np.datetime64("2020-01-01T00:00")
    rows = []
    for name in ("north", "south"):
        hours = np.arange(600)
        warmth = 5 * np.sin(hours / 24 * 2 * np.pi) + np.cumsum(rng.normal(0, 0.3, 600))
        rows += [
            f"{name},{start + hour},{value:.2f},{1000 - value + rng.normal():.1f}"
            for hour, value in zip(hours, warmth, strict=True)
        ]
    (folder / "hours.csv").write_text("\n".join(["station,time,warmth,pressure", *rows]), encoding="utf-8")
    last = [row for row in rows if row.startswith("north")][-30:]
    (folder / "last.csv").write_text("\n".join(["station,time,warmth,pressure", *last]), encoding="utf-8")
    (folder / "timeless.csv").write_text("warmth,pressure\n1,2\n3,5\n2,2\n", encoding="utf-8")
    small = {"window": 24, "horizon": 6, "target": "warmth", "batch_size": 16, "hidden_units": 4}
    return Sample(
        data=folder / "hours.csv",
        given=str(folder / "last.csv"),
        settings=tuple({**small, "model": model} for model in ("conv1d", "gru")),
        broken=folder / "timeless.csv",
    )


def _houses(folder: Path) -> Sample:
    """Prices that follow from size and town; some sizes are missing."""
    rng = np.random.default_rng(0)
    rows, dull = ["size,town,sold,price"], ["size,price"]
    for number in range(60):
        size, town = int(rng.integers(20, 200)), str(rng.choice(["Rome", "Oslo"]))
        price = 3 * size + 50 * (town == "Oslo") + rng.normal()
        rows.append(f"{size if number % 9 else ''},{town},2024-03-{number % 28 + 1:02d},{price:.1f}")
        dull.append(f"{size},7")
    (folder / "houses.csv").write_text("\n".join(rows), encoding="utf-8")
    (folder / "dull.csv").write_text("\n".join(dull), encoding="utf-8")
    small = {"hidden_units": 8, "batch_size": 8, "target": "price"}
    return Sample(
        data=folder / "houses.csv",
        given="size=120, town=Oslo",
        settings=({**small, "model": "dense", "num_folds": 2}, {**small, "model": "linear", "num_folds": 0}),
        broken=folder / "dull.csv",
    )


def _colours(folder: Path) -> Sample:
    """Reddish and bluish noise, a folder for each."""
    rng = np.random.default_rng(0)
    for channel, name in ((0, "red"), (2, "blue")):
        (folder / "colours" / name).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 120, (20, 24, 3), dtype=np.uint8)
            pixels[..., channel] += 120
            Image.fromarray(pixels).save(folder / "colours" / name / f"{number}.png")
    (folder / "one" / "class").mkdir(parents=True)
    (folder / "one" / "class" / "1.png").write_bytes((folder / "colours" / "red" / "1.png").read_bytes())
    small = {"side": 16, "batch_size": 8, "num_filters": 2}
    return Sample(
        data=folder / "colours",
        given=str(folder / "colours" / "blue" / "3.png"),
        settings=({**small, "model": "convnet"}, {**small, "model": "xception"}),
        broken=folder / "one",
    )


def _squares(folder: Path) -> Sample:
    """A bright square somewhere on noise, and where it is."""
    rng = np.random.default_rng(0)
    (folder / "squares").mkdir()
    for number in range(24):
        pixels, mask = rng.integers(0, 120, (20, 24, 3), dtype=np.uint8), np.zeros((20, 24), np.uint8)
        top, left = rng.integers(0, 10, 2)
        pixels[top : top + 9, left : left + 9] = 230
        mask[top : top + 9, left : left + 9] = 255
        Image.fromarray(pixels).save(folder / "squares" / f"{number}.png")
        Image.fromarray(mask).save(folder / "squares" / f"{number}_mask.png")
    (folder / "maskless").mkdir()
    (folder / "maskless" / "1.png").write_bytes((folder / "squares" / "1.png").read_bytes())
    small = {"side": 16, "batch_size": 8, "num_filters": 2}
    return Sample(
        data=folder / "squares",
        given=str(folder / "squares" / "3.png"),
        settings=({**small, "model": "unet"},),
        broken=folder / "maskless",
    )


SAMPLES: Mapping[str, Callable[[Path], Sample]] = {
    "text-generator": _texts,
    "digits": _shapes,
    "forecasting": _hours,
    "image-classifier": _colours,
    "regression": _houses,
    "segmentation": _squares,
    "text-classifier": _labelled_texts,
}
