"""What is told of the files that were not used: grouped by reason, a few of them named."""

import dataclasses
from collections.abc import Sequence

from openbook.data.display import counted, harmless
from openbook.data.files import Reason, SkippedFile

__all__ = ["SkippedFiles", "group_of", "said", "said_nothing_but", "skipped_texts"]

_NUM_NAMED = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class SkippedFiles:
    """Files left out for one reason; the names of a few of them, safe to print."""

    reason: str
    number: int
    examples: tuple[str, ...]


def group_of(reason: Reason, named: Sequence[SkippedFile], number: int) -> SkippedFiles:
    """Files left out for one reason.

    Args:
        named: those to name; `number` is of all.
    """
    examples = tuple(
        f"{harmless(file.name)} ({harmless(file.detail)})" if file.detail else harmless(file.name)
        for file in named
    )
    return SkippedFiles(reason=str(reason), number=number, examples=examples)


def said(group: SkippedFiles) -> str:
    """A group in one line: "3 files, empty: a.txt, b.txt and 1 more"."""
    num_more = group.number - len(group.examples)
    more = f" and {num_more:,} more" if num_more else ""
    return f"{counted(group.number, 'file')}, {group.reason}: {', '.join(group.examples)}{more}"


def skipped_texts(skipped: Sequence[SkippedFile]) -> list[str]:
    """A line for each reason."""
    lines = []
    for reason in dict.fromkeys(file.reason for file in skipped):
        files = [file for file in skipped if file.reason == reason]
        lines.append(said(group_of(reason, files[:_NUM_NAMED], len(files))))
    return lines


def said_nothing_but(skipped: Sequence[SkippedFile]) -> str:
    """What stands behind "holds nothing" in an error: " (3 files, empty: …)", or "" where nothing was skipped."""
    lines = skipped_texts(skipped)
    return f" ({'; '.join(lines[:3])})" if lines else ""
