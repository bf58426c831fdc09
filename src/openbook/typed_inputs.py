"""What a person types for a run's model, as a recipe reads it, made a reader of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openbook.page.bare_models import MakeReader
    from openbook.page.inputs.reading import InputReader
    from openbook.page.subject import Example
    from openbook.recipes.look import ModelLook

__all__ = ["make_reader", "typed_examples"]


def make_reader(look: ModelLook, texts: Sequence[str]) -> MakeReader:
    """Makes the reader of words, of named columns or of lines.

    Args:
        texts: what was given to begin with.
    """
    from openbook.page.inputs.line import LineField, LineReader
    from openbook.page.inputs.words import WordsReader
    from openbook.recipes.look import WordsLook

    typed = look.typed
    assert typed is not None
    if isinstance(typed, WordsLook):
        return lambda specs, target_reader: WordsReader(
            read_text=typed.read,
            unknown=typed.unknown,
            names=typed.names,
            input_names=[each.name for each in specs],
            max_tokens=int(specs[0].shape[0] or 0),
            is_bag=typed.is_bag,
            example_text=texts[0] if texts else typed.example,
            target_reader=target_reader,
        )
    fields = [
        LineField(name=name, choices=choices, typical=typical) for name, choices, typical in typed.fields
    ]
    return lambda specs, target_reader: LineReader(
        read_text=typed.read,
        fields=fields,
        text=texts[0] if texts else typed.text,
        hint=typed.hint,
        columns=look.columns,
        shape=tuple(int(size or 1) for size in specs[0].shape),
        target_reader=target_reader,
    )


def typed_examples(reader: InputReader, texts: Sequence[str]) -> list[Example]:
    """The texts that were given, to be looked at first."""
    from openbook.page.subject import Example

    nothing_known = {"target": None, "answer": None, "is_mistake": False, "score": None}
    kind = reader.spec()["kind"]
    return [
        Example(
            id=f"given-{number}", shown={"text": text, **nothing_known}, given={"kind": kind, "text": text}
        )
        for number, text in enumerate(texts, start=1)
    ]
