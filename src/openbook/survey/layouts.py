"""The layouts of the survey's years, read from a table, and which of them a file has."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from openbook.errors import DataError
from openbook.survey.spellings import plain, tables

__all__ = ["FIRST_YEAR", "Layout", "NamedQuestion", "detect_layout", "layouts", "named_questions"]

FIRST_YEAR, LAST_YEAR = 2017, 2022
# Evidence for a year: a column that its neighbours do not have tells more than a question they all ask.
_COLUMN_POINTS, _WORDS_POINTS, _ANSWER_POINTS, _FILE_NAME_POINTS = 3, 2, 4, 1
# Less is no survey: any table may have a column that is called Q3.
_LEAST_POINTS = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class NamedQuestion:
    """A question that several years asked, under a name of ours.

    Attributes:
        title: what it is about.
        words: in lower case; one of them stands in the text of the question, in years that have one in the file.
        columns: by year, the column, or what its columns begin with.
        notes: by year, how it was asked differently.
        only: by year, the answers that belong to it where the column asked for more.
        nearest: another question to ask where a year did not ask this one; empty if there is none.
    """

    name: str
    title: str
    words: tuple[str, ...]
    columns: Mapping[int, str]
    notes: Mapping[int, str]
    only: Mapping[int, tuple[str, ...]]
    nearest: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout:
    """How the file of one year is built.

    Attributes:
        file: what Kaggle calls it.
        has_question_row: the second row repeats the questions in words.
        columns: that tell this year from its neighbours.
        answers: by column, an answer that the neighbours do not have.
        country, role, coding_years, machine_learning_years: columns; None where a year did not ask.
        student: column and answer of those who study.
        separator: between several answers in one cell; empty where each answer has a column.
        several_answers: columns of several answers, for years that put them in one cell.
        not_choices: columns, or what they begin with, that hold numbers or ratings.
        kaggle: what kind of thing holds it at Kaggle, and its name there.
    """

    year: int
    file: str
    has_question_row: bool
    columns: tuple[str, ...]
    answers: Mapping[str, str]
    country: str
    role: str
    coding_years: str
    student: tuple[str, str]
    kaggle: Mapping[str, str]
    machine_learning_years: str | None = None
    separator: str = ""
    several_answers: frozenset[str] = frozenset()
    not_choices: frozenset[str] = frozenset()

    @property
    def people_columns(self) -> tuple[str, ...]:
        """The columns that say who somebody is."""
        named = (self.country, self.role, self.coding_years, self.machine_learning_years, self.student[0])
        return tuple(dict.fromkeys(column for column in named if column))


@functools.cache
def layouts() -> Mapping[int, Layout]:
    """All layouts by year."""
    return {entry["year"]: _layout(entry) for entry in tables("layouts")["layout"]}


@functools.cache
def named_questions() -> Mapping[str, NamedQuestion]:
    """All questions that have a name."""
    return {
        name: NamedQuestion(
            name=name,
            title=entry["title"],
            words=tuple(entry["words"]),
            columns=_by_year(entry["columns"]),
            notes=_by_year(entry.get("notes", {})),
            only={year: tuple(each) for year, each in _by_year(entry.get("only", {})).items()},
            nearest=entry.get("nearest", ""),
        )
        for name, entry in tables("layouts")["questions"].items()
    }


def detect_layout(header: Sequence[str], rows: Sequence[Sequence[str]], *, origin: str) -> tuple[Layout, int]:
    """The layout of a table, and how many of its first rows are no answers.

    Args:
        header: names of the columns.
        rows: some rows below, the row of questions first where there is one.
        origin: the file's name, for messages; it decides only where all else is equal.
    Raises:
        DataError: it is no survey, or the years cannot be told apart.
    """
    texts = dict(zip(header, rows[0], strict=False)) if rows else {}
    has_texts = sum(_is_question(text) for text in texts.values()) >= max(2, len(texts) // 3)
    points = {
        year: _points(layout, header, texts if has_texts else {}, rows, origin)
        for year, layout in layouts().items()
    }
    most = max(points.values())
    best = [layouts()[year] for year, number in points.items() if number == most]
    if most < _LEAST_POINTS:
        raise DataError(_no_survey(header, origin))
    if len(best) > 1:
        years = " or ".join(str(layout.year) for layout in best)
        raise DataError(
            f"{origin}: the columns are those of {years}, and nothing in it says which. Give the file as Kaggle "
            f"serves it, or put the year into its name"
        )
    return best[0], int(has_texts)


def _points(
    layout: Layout,
    header: Sequence[str],
    texts: Mapping[str, str],
    rows: Sequence[Sequence[str]],
    origin: str,
) -> int:
    present = set(header)
    points = _COLUMN_POINTS * sum(column in present for column in layout.columns)
    for question in named_questions().values():
        column = first_column(question.columns.get(layout.year, ""), header)
        if column and column in texts:
            text = plain(texts[column]).lower()
            points += _WORDS_POINTS if any(word in text for word in question.words) else -_WORDS_POINTS
    for column, answer in layout.answers.items():
        if column in present:
            place = list(header).index(column)
            points += _ANSWER_POINTS * any(len(row) > place and row[place] == answer for row in rows)
    return points + _FILE_NAME_POINTS * (str(layout.year) in origin)


def first_column(begins: str, header: Sequence[str]) -> str | None:
    """The first column of a question; None where the table has none."""
    found = question_columns(begins, header)
    return found[0] if found else None


def question_columns(begins: str, header: Sequence[str]) -> tuple[str, ...]:
    """The columns of a question: one, or one for each answer; what was typed under "Other" is left out."""
    if not begins:
        return ()
    if begins in header:
        return (begins,)
    pattern = re.compile(rf"{re.escape(begins)}_(?:Part_)?(?:\d+|OTHER)")
    return tuple(column for column in header if pattern.fullmatch(column))


def _is_question(text: str) -> bool:
    return len(text) > 20 and (
        "?" in text or "Selected Choice" in text or text.startswith(("Select", "Duration"))
    )


def _no_survey(header: Sequence[str], origin: str) -> str:
    shown = ", ".join(plain(column)[:30] for column in header[:5]) or "no columns"
    more = f" and {len(header) - 5} more" if len(header) > 5 else ""
    is_free_text = any(
        column.endswith(("FreeForm", "_OTHER_TEXT", "_TEXT")) for column in header[:3]
    ) or "freeform" in origin.lower().replace("-", "")
    if is_free_text:
        return (
            f"{origin}: these are the answers in people's own words, whose rows belong to nobody. The survey is "
            f"in the file beside it, such as {layouts()[2018].file}"
        )
    return (
        f"{origin}: expected the answers of a Kaggle survey of {FIRST_YEAR} to {LAST_YEAR}, got a table with "
        f"the columns {shown}{more}. Files as Kaggle serves them are read, such as {layouts()[2021].file} or "
        f"its zip"
    )


def _layout(entry: Mapping[str, Any]) -> Layout:
    values = {field.name: entry[field.name] for field in dataclasses.fields(Layout) if field.name in entry}
    student = entry["student"]
    return Layout(
        **values
        | {
            "columns": tuple(entry["columns"]),
            "student": (student["column"], student["answer"]),
            "several_answers": frozenset(entry.get("several_answers", ())),
            "not_choices": frozenset(entry.get("not_choices", ())),
        }
    )


def _by_year(table: Mapping[str, Any]) -> dict[int, Any]:
    return {int(year): value for year, value in table.items()}
