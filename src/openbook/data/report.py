"""The data report: what was found in a source, before anything is trained on it."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbook.data.display import counted, size_text
from openbook.data.skipped import SkippedFiles, said
from openbook.data.split import SplitSizes

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["TextReport", "render_rows"]

_MAX_SCRIPTS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class TextReport:
    """Everything `openbook data PATH` prints. All texts in it are safe to print on a terminal."""

    source: str
    origin: str
    title: str | None = None  # of a known data set
    licence: str | None = None
    inferred: tuple[str, ...]
    num_documents: int
    num_bytes: int
    num_words: int
    median_document_bytes: int
    longest_document_bytes: int
    scripts: tuple[tuple[str, float], ...]  # (script, share of the letters in a sample)
    num_duplicates: int
    num_empty: int
    num_malformed_rows: int
    num_control_characters: int
    skipped: tuple[SkippedFiles, ...]
    limits: tuple[str, ...]
    split: SplitSizes
    examples: tuple[str, ...]
    fingerprint: str

    def to_dict(self) -> dict[str, object]:
        """The report as plain lists, dictionaries, strings and numbers."""
        plain: dict[str, object] = json.loads(json.dumps(dataclasses.asdict(self)))
        return plain

    def rows(self) -> list[tuple[str, str]]:
        """The report's lines as (label, text), without the examples."""
        split = self.split
        known = (("Title", self.title), ("Licence", self.licence))
        return [
            ("Source", self.source if self.origin == self.source else f"{self.source}, from {self.origin}"),
            *((label, text) for label, text in known if text),
            *(("Read as", inferred) for inferred in self.inferred),
            ("Documents", f"{self.num_documents:,}"),
            ("Size", f"{size_text(self.num_bytes)}, {counted(self.num_words, 'word')}"),
            (
                "Length",
                f"half are under {size_text(self.median_document_bytes)}, the longest has "
                f"{size_text(self.longest_document_bytes)}",
            ),
            ("Scripts", self._said_scripts()),
            ("Cleaned", ", ".join(self._said_cleaned()) or "nothing had to be"),
            *(("Skipped", said(skipped)) for skipped in self.skipped),
            *(("Limit", limit) for limit in self.limits),
            (
                "Split",
                f"{split.num_training:,} to train on ({size_text(split.training_bytes)}), "
                f"{split.num_held_out:,} held out ({size_text(split.held_out_bytes)}), by content",
            ),
            ("Fingerprint", self.fingerprint[:16]),
        ]

    def render(self, console: "Console") -> None:
        """Print the report; it holds together down to 40 columns."""
        render_rows(console, self.rows(), self.examples)

    def _said_scripts(self) -> str:
        if not self.scripts:
            return "no letters"
        shown = [f"{script} {share:.1%}" for script, share in self.scripts[:_MAX_SCRIPTS_SHOWN]]
        num_more = len(self.scripts) - len(shown)
        return ", ".join(shown) + (f" and {num_more} more" if num_more else "")

    def _said_cleaned(self) -> list[str]:
        counts = (
            (self.num_duplicates, "duplicate"),
            (self.num_empty, "empty document"),
            (self.num_malformed_rows, "malformed row"),
            (self.num_control_characters, "control character"),
        )
        return [counted(number, noun) for number, noun in counts if number]


def render_rows(console: "Console", rows: Sequence[tuple[str, str]], examples: Sequence[str]) -> None:
    """Print lines of (label, text) and numbered examples in a box."""
    from rich import box
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold", ratio=1)
    former = ""
    for label, text in rows:
        table.add_row(Text("" if label == former else label), Text(text))
        former = label
    numbered = Table.grid(padding=(0, 1))
    numbered.add_column(no_wrap=True, style="bold")
    numbered.add_column(overflow="fold", ratio=1)
    for number, example in enumerate(examples, start=1):
        numbered.add_row(Text(str(number)), Text(example))
    shown = (Text(), Text("Examples", style="bold"), numbered) if examples else ()
    body = Group(table, *shown)
    console.print(Panel(body, title=Text("Data report"), title_align="left", box=box.ROUNDED))
