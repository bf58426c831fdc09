"""The share of those who answered that gave each answer, with its 95 % interval."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from openbook.survey.questions import Question
from openbook.survey.reading import Survey

if TYPE_CHECKING:
    import polars

__all__ = ["Share", "shares_of", "wilson_interval"]

# The 97.5th percentile of the normal distribution: 95 % lie between it and its negative.
_Z = 1.959963984540054
# What is no answer of its own stands at the end, whatever its share.
_LAST = ("None", "Other")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Share:
    """How many of those who answered gave one answer.

    Attributes:
        count, num_answered: people.
        share: count / num_answered.
        low, high: the Wilson interval that holds the share of all who might have answered in 95 of 100 surveys.
    """

    answer: str
    count: int
    num_answered: int

    @property
    def share(self) -> float:
        return self.count / self.num_answered if self.num_answered else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        return wilson_interval(self.count, self.num_answered)


def wilson_interval(count: int, number: int) -> tuple[float, float]:
    """The 95 % interval of a share; from 0 to 1 where nobody answered.

    Unlike the share plus and minus two standard errors it stays between 0 and 1, and is no point for a share of 0.

    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.
    """
    if number == 0:
        return 0.0, 1.0
    share = count / number
    middle = (share + _Z**2 / (2 * number)) / (1 + _Z**2 / number)
    half = _Z / (1 + _Z**2 / number) * math.sqrt(share * (1 - share) / number + _Z**2 / (4 * number**2))
    # Rounding may leave the end of a share of 0 or 1 a hair outside.
    return max(0.0, middle - half) if count else 0.0, min(1.0, middle + half) if count < number else 1.0


def shares_of(survey: Survey, question: Question, rows: polars.DataFrame) -> list[Share]:
    """The share of each answer, the most frequent first, "None" and "Other" last."""
    num_answered = int(question.answered(rows).sum())
    found = [
        Share(answer=answer, count=int(gave.sum()), num_answered=num_answered)
        for answer, gave in question.chosen(survey, rows).items()
    ]
    return sorted(found, key=lambda each: (each.answer in _LAST, -each.count, each.answer))
