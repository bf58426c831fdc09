"""The questions of a file: those that have a name, and all others by their column."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import operator
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from openbook.errors import UsageError
from openbook.survey.layouts import named_questions, question_columns
from openbook.survey.reading import Survey
from openbook.survey.selection import NotAskedError
from openbook.survey.spellings import Spellings, answers, countries, plain, roles

if TYPE_CHECKING:
    import polars

__all__ = ["Question", "all_questions", "question_of"]

_COLUMN = re.compile(r"(Q\d+(?:_[AB])?)(?:_(?:Part_)?(?:\d+|OTHER))?|(Q\d+_MULTIPLE_CHOICE)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """One question of one year's file.

    Attributes:
        name: ours, or the column where it has none.
        begins: its column, or what its columns begin with.
        text: in words, without the answers.
        columns: one, or one for each answer.
        note: how this year asked it differently from the others; empty if not.
        only: the answers that belong to it; empty means all.
        separator: between several answers in one cell; empty where there is one.
        is_several: whether more than one answer can be given.
    """

    name: str
    begins: str
    title: str
    text: str
    columns: tuple[str, ...]
    note: str = ""
    only: tuple[str, ...] = ()
    separator: str = ""

    @property
    def is_several(self) -> bool:
        return len(self.columns) > 1 or bool(self.separator)

    def spellings(self, survey: Survey) -> Spellings:
        """What unites the spellings of its answers."""
        if self.columns == (survey.layout.country,):
            return countries()
        return roles() if self.columns == (survey.layout.role,) else answers()

    def chosen(self, survey: Survey, rows: polars.DataFrame) -> dict[str, polars.Series]:
        """For each answer, who gave it: a truth value for each row."""
        spelling = self.spellings(survey)
        # For each answer, by column, the cells that hold it; two spellings of an answer may have a column each.
        cells: dict[str, dict[str, list[str]]] = {}
        for column in self.columns:
            for text in rows[column].unique().drop_nulls().sort():
                for answer in dict.fromkeys(_split(text, self.separator)):
                    name = spelling.name(answer)
                    if not self.only or name in self.only:
                        cells.setdefault(name, {}).setdefault(column, []).append(text)
        return {
            name: functools.reduce(
                operator.or_,
                (rows[column].is_in(texts).fill_null(value=False) for column, texts in by_column.items()),
            )
            for name, by_column in cells.items()
        }

    def answered(self, rows: polars.DataFrame) -> polars.Series:
        """Who answered: a truth value for each row."""
        import polars

        gave = polars.any_horizontal(polars.col(column).is_not_null() for column in self.columns)
        return rows.select(gave.alias("answered"))["answered"]


def question_of(survey: Survey, name: str) -> Question:
    """A question by its name or by its column.

    Raises:
        NotAskedError: this year did not ask it.
        UsageError: no year has such a question.
    """
    named = named_questions()
    known = named.get(name.lower())
    if known is None:
        found = next((each for each in all_questions(survey) if each.begins.lower() == name.lower()), None)
        if found is None:
            raise _unknown(survey, name)
        return dataclasses.replace(found, name=found.begins)
    begins = known.columns.get(survey.year, "")
    if not begins:
        years = ", ".join(map(str, sorted(known.columns)))
        nearest = named.get(known.nearest)
        hint = f" Nearest to it: {known.nearest}" if nearest and survey.year in nearest.columns else ""
        raise NotAskedError(
            f"the survey of {survey.year} did not ask for {name} (those of {years} did).{hint}"
        )
    columns = question_columns(begins, survey.header)
    if not columns:
        raise NotAskedError(
            f"{survey.origin} lacks the columns of {name}, {begins}…; it may be a part of the file"
        )
    layout = survey.layout
    return Question(
        name=known.name,
        begins=begins,
        title=known.title,
        text=_question_text(survey, columns),
        columns=columns,
        note=known.notes.get(survey.year, ""),
        only=known.only.get(survey.year, ()),
        separator=layout.separator if begins in layout.several_answers else "",
    )


def all_questions(survey: Survey) -> list[Question]:
    """All questions of a file that have answers to choose from, in the order of the file."""
    names = {
        begins: question
        for question in named_questions().values()
        if (begins := question.columns.get(survey.year)) and not question.only.get(survey.year)
    }
    layout = survey.layout
    found = []
    for begins in dict.fromkeys(
        _begins(column, has_numbers=layout.has_question_row) for column in survey.header
    ):
        if not begins or begins in layout.not_choices:
            continue
        columns = question_columns(begins, survey.header)
        named = names.get(begins)
        text = _question_text(survey, columns)
        found.append(
            Question(
                name=named.name if named else begins,
                begins=begins,
                title=named.title if named else text or begins,
                text=text,
                columns=columns,
                note=named.notes.get(survey.year, "") if named else "",
                separator=layout.separator if begins in layout.several_answers else "",
            )
        )
    for question in named_questions().values():
        if question.only.get(survey.year) and question_columns(question.columns[survey.year], survey.header):
            found.append(question_of(survey, question.name))
    return found


def _begins(column: str, *, has_numbers: bool) -> str:
    if not has_numbers:
        return column
    match = _COLUMN.fullmatch(column)
    return (match[1] or match[2]) if match else ""


def _split(text: str, separator: str) -> list[str]:
    """Several answers in one cell; a comma that belongs to an answer has a space after it."""
    if not separator:
        return [text]
    return [plain(part) for part in re.split(rf"{re.escape(separator)}(?! )", text) if part.strip()]


def _question_text(survey: Survey, columns: Sequence[str]) -> str:
    text = survey.texts.get(columns[0], "") if columns else ""
    if len(columns) > 1:
        # "Which …? (Select all that apply) - Selected Choice - Python"
        text = text.rsplit(" - Selected Choice", 1)[0].rsplit(" - ", 1)[0] if " - " in text else text
    return plain(re.sub(r"\s*[-:]* *(\(Select all that apply\):?|- Selected Choice)", "", text))


def _unknown(survey: Survey, name: str) -> UsageError:
    known = [*named_questions(), *(each.begins for each in all_questions(survey))]
    near = difflib.get_close_matches(name.lower(), {each.lower(): each for each in known}, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(named_questions())}"
    return UsageError(
        f"there is no question {name!r} in the survey of {survey.year}. {hint}. `openbook survey FILE "
        f"--questions` lists all"
    )
