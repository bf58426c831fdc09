"""A data report made of facts: what was found in tables, pictures and series before anything is trained."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbook.data.report import render_rows

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["FactsReport"]


@dataclass(frozen=True, kw_only=True)
class FactsReport:
    """Lines of (label, text) and a few examples, all safe to print on a terminal (see `display.harmless`).

    Attributes:
        facts: in the order in which they are shown; the same label may come several times.
        warnings: what a person should look at before training, such as a column that gives the target away.
        numbers: the same for programs: counts and names, as plain lists, dictionaries, strings and numbers.
    """

    facts: tuple[tuple[str, str], ...]
    fingerprint: str
    examples: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    numbers: dict[str, object] = dataclasses.field(default_factory=dict)

    def rows(self) -> list[tuple[str, str]]:
        """The report's lines as (label, text), without the examples."""
        return [
            *self.facts,
            *(("Look at", warning) for warning in self.warnings),
            ("Fingerprint", self.fingerprint[:16]),
        ]

    def to_dict(self) -> dict[str, object]:
        """As it stands in `run.json` and `--json`."""
        return {
            **self.numbers,
            "facts": [list(fact) for fact in self.facts],
            "warnings": list(self.warnings),
            "examples": list(self.examples),
            "fingerprint": self.fingerprint,
        }

    def render(self, console: Console) -> None:
        """Print the report; it holds together down to 40 columns."""
        render_rows(console, self.rows(), self.examples)
