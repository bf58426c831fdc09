"""One name for what the years of the survey spell differently: answers, roles, countries, experience."""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["Spellings", "answers", "countries", "plain", "roles", "tables", "years_between"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spellings:
    """Names, each with the other ways to write it; white space and capitals do not matter.

    Attributes:
        names: every spelling, in its plain form, with the name it stands for.
    """

    names: Mapping[str, str]

    @classmethod
    def of(cls, table: Mapping[str, Iterable[str]]) -> Spellings:
        """From a table of names with their other spellings."""
        return cls(names={_key(each): name for name, others in table.items() for each in (name, *others)})

    def name(self, text: str) -> str:
        """The name that a text stands for; the text itself, tidied, where it is none of them."""
        return self.names.get(_key(text), plain(text))

    def known(self, text: str) -> str | None:
        """The name that a text stands for; None where it is none of them."""
        return self.names.get(_key(text))


def plain(text: str) -> str:
    """The text without white space around it, and with single spaces in it."""
    return " ".join(text.split())


@functools.cache
def tables(name: str) -> dict[str, Any]:
    """The content of one of the data files beside this one."""
    text = importlib.resources.files("openbook.survey").joinpath(f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


@functools.cache
def answers() -> Spellings:
    """The answers to questions."""
    return Spellings.of(tables("spellings")["answers"])


@functools.cache
def roles() -> Spellings:
    """The job titles."""
    return Spellings.of(tables("spellings")["roles"])


@functools.cache
def countries() -> Spellings:
    """The countries, by long and short names and by their codes of two letters."""
    return Spellings.of(tables("spellings")["countries"])


@functools.cache
def _years() -> Mapping[str, tuple[int, int]]:
    return {_key(answer): (least, most) for answer, (least, most) in tables("spellings")["years"].items()}


def years_between(answer: str) -> tuple[int, int] | None:
    """The least and the most years that an answer stands for, -1 for never; None where it is not known."""
    return _years().get(_key(answer))


def _key(text: str) -> str:
    # An apostrophe comes in two forms, also within one year.
    return plain(text).replace("’", "'").casefold()
