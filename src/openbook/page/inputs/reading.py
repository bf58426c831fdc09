"""What all kinds of input have in common: read from a request, with what the page shows of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Json = dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReadInput:
    """An input as arrays, and as the page shows it.

    Attributes:
        arrays: what the model takes, with a batch axis of 1.
        preview: `InputPreview` of docs/page-protocol.md.
        token_ids: of a text, one for each position that is not padding; None of other inputs.
        length: of a text, where the model takes one number of positions only; None where it takes any.
        row_names: of the rows of a window, such as their times; None where they have none.
    """

    arrays: Any
    preview: Json
    token_ids: tuple[int, ...] | None = None
    length: int | None = None
    row_names: tuple[str, ...] | None = None


class InputReader(Protocol):
    """Reads one kind of input; one implementation for texts, pictures and arrays each."""

    def spec(self) -> Json:
        """`InputSpec` of docs/page-protocol.md."""

    def read(self, given: Mapping[str, Any]) -> ReadInput:
        """What a person gave, as arrays.

        Raises:
            UsageError: it does not fit; the message says what would.
        """

    def example(self) -> ReadInput:
        """Something of the right shape, for reading the model before a person has given anything."""

    def targets(self, read: ReadInput, target: Any) -> Any:
        """What the model should have said, as arrays for its loss.

        Raises:
            UsageError: it does not fit; the message says what would.
        """

    def place(self, read: ReadInput, name: str, index: Sequence[int]) -> str | None:
        """What an element of an input or a weight is in the person's own input: a token, a pixel, a cell."""

    def token_text(self, token: int) -> str:
        """A token's own text, "" for the end of a text; only for texts."""

    def vocabulary(self, rows: Sequence[int]) -> list[str]:
        """The texts of some tokens, as they are shown; only for texts."""
