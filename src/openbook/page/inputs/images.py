"""Pictures: a person's own, brought into the form that the model was trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.page.inputs.reading import Json, ReadInput
from openbook.page.inputs.targets import TargetReader
from openbook.pictures.decode import as_address, read_picture
from openbook.pictures.preprocess import RANGES, Target, preprocess, shown_array

_CHANNELS = ("red", "green", "blue")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageReader:
    """Reads pictures for a model that takes (height, width, 1 or 3).

    Attributes:
        settings: as in training: `range` (one of `preprocess.RANGES`), `crop` and `invert`; the last two are
            guessed from the number of channels where they are left out.
        target_reader: None where no step can be taken.
    """

    target: Target
    settings: Mapping[str, str]
    classes: Sequence[str] | None
    target_reader: TargetReader | None

    def spec(self) -> Json:
        return {
            "kind": "image",
            "height": self.target.height,
            "width": self.target.width,
            "channels": self.target.channels,
            "settings": [
                {"name": name, "values": values, "value": value} for name, values, value in self._settings()
            ],
            "classes": None if self.classes is None else list(self.classes),
        }

    def read(self, given: Mapping[str, Any]) -> ReadInput:
        address = given.get("picture")
        if not isinstance(address, str):
            raise UsageError("expected a picture as a data address")
        picture, notes = read_picture(address)
        array, steps = preprocess(picture, self.target, self._chosen(given.get("settings")))
        return ReadInput(arrays=array, preview={"kind": "image", "steps": steps, "notes": notes})

    def read_array(self, array_HWC: np.ndarray) -> ReadInput:
        """An array that is in the model's form already."""
        step = {
            "title": "The example",
            "explanation": "Given as numbers, so nothing is done to it.",
            "picture": as_address(shown_array(array_HWC)),
            "height": self.target.height,
            "width": self.target.width,
        }
        return ReadInput(arrays=array_HWC[None], preview={"kind": "image", "steps": [step], "notes": []})

    def example(self) -> ReadInput:
        target = self.target
        return self.read_array(np.zeros((target.height, target.width, target.channels), np.float32))

    def targets(self, read: ReadInput, target: Any) -> Any:
        assert self.target_reader is not None, "checked before a step is asked for"
        return self.target_reader.read(target)

    def place(self, read: ReadInput, name: str, index: Sequence[int]) -> str | None:
        if not (name == "input" or name.startswith("input/")) or len(index) != 4:
            return None
        _, row, col, channel = index
        of = f", {_CHANNELS[channel]}" if self.target.channels == 3 else ""
        return f"the pixel in row {row + 1}, column {col + 1}{of}"

    def token_text(self, token: int) -> str:
        raise UsageError("a picture has no tokens")

    def vocabulary(self, rows: Sequence[int]) -> list[str]:
        raise UsageError("a picture has no tokens")

    def _settings(self) -> list[tuple[str, list[str], str]]:
        is_grey, known = self.target.channels == 1, self.settings
        ranges = [name for name in RANGES if name != "ImageNet" or not is_grey]
        return [
            ("crop", ["content", "centre", "whole"], known.get("crop", "content" if is_grey else "centre")),
            ("invert", ["auto", "yes", "no"], known.get("invert", "auto" if is_grey else "no")),
            ("range", ranges, known["range"]),
        ]

    def _chosen(self, given: Any) -> dict[str, str]:
        chosen = {}
        asked = given if isinstance(given, Mapping) else {}
        for name, values, default in self._settings():
            value = asked.get(name, default)
            if value not in values:
                raise UsageError(f"{name} is one of {', '.join(values)}, not {value!r}")
            chosen[name] = value
        return chosen
