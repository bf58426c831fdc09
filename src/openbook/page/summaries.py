"""Range, mean and histogram of values."""

from __future__ import annotations

from openbook.page.answers import number
from openbook.page.inputs.reading import Json
from openbook.page.looked import Looked
from openbook.page.numbers import histogram, statistics


def summary(looked: Looked, name: str) -> Json:
    """`Summary` of docs/page-protocol.md."""
    array = looked.array(name)
    found = statistics(array)
    return {
        "name": name,
        "min": number(found.minimum),
        "max": number(found.maximum),
        "mean": number(found.mean),
        "std": number(found.std),
        "num_nonfinite": found.num_nonfinite,
        "histogram": histogram(array),
    }
