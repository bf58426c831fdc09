"""From files and filters to shares: one result for each year, or for each group of a year."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbook.errors import DataError, UsageError
from openbook.survey.questions import Question, question_of
from openbook.survey.reading import Survey, read_survey, survey_files
from openbook.survey.selection import NotAskedError, Selected, Selection, columns_needed, select
from openbook.survey.shares import Share, shares_of
from openbook.survey.spellings import countries, roles

if TYPE_CHECKING:
    import polars

__all__ = ["GROUPINGS", "Result", "analyse", "read_surveys"]

# What the answers can be told apart by.
GROUPINGS = ("country", "role", "year")
# A group of fewer people says little, and a table of all of them says nothing.
_SMALLEST_GROUP = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """The shares of one year, or of one group in it.

    Attributes:
        group: the country or role; empty for all.
        num_in_file: respondents of the year, before any filter.
        num_respondents: after the filters, in this group.
        num_answered: of these, who answered the question.
        steps: what each filter removed.
    """

    year: int
    origin: str
    question: Question
    group: str
    num_in_file: int
    num_respondents: int
    num_answered: int
    shares: tuple[Share, ...]
    selected: Selected

    def share_of(self, answer: str) -> Share:
        """Of one answer; of nobody's where none of these gave it."""
        found = (each for each in self.shares if each.answer == answer)
        return next(found, Share(answer=answer, count=0, num_answered=self.num_answered))

    def offers(self, answer: str) -> bool:
        """Whether anybody of this year gave the answer: else it was not to be chosen."""
        return any(each.answer == answer for each in self.shares)

    def to_dict(self) -> dict[str, Any]:
        """As it stands in `--json`."""
        group = {"group": self.group} if self.group else {}
        return {
            "year": self.year,
            **group,
            "question": self.question.name,
            "question_text": self.question.text or self.question.title,
            "column": self.question.begins,
            "num_in_file": self.num_in_file,
            "num_respondents": self.num_respondents,
            "num_answered": self.num_answered,
            "shares": {each.answer: each.share for each in self.shares},
            "counts": {each.answer: each.count for each in self.shares},
            "intervals": {each.answer: list(each.interval) for each in self.shares},
            "filters": [step.to_dict() for step in self.selected.steps],
            "note": self.question.note,
            "file": self.origin,
        }


def read_surveys(
    paths: Iterable[Path], *, years: Sequence[int] = (), say: Callable[[str], None]
) -> list[Survey]:
    """Open the files, each year once, in the order of the years.

    Args:
        years: only these; empty means all.
        say: told what each file is, and which is left out.
    Raises:
        DataError: a file cannot be read or is no survey, or two different files are of one year.
    """
    found: dict[int, Survey] = {}
    for path in paths:
        is_folder = path.is_dir()
        for file in survey_files(path):
            try:
                survey = read_survey(file)
            except DataError as error:
                if not is_folder:
                    raise
                say(f"Left out: {error}")
                continue
            before = found.get(survey.year)
            if before is None:
                say(str(survey))
                found[survey.year] = survey
            elif before.digest == survey.digest:
                say(f"{survey.origin}: the same file as {before.origin}; counted once")
            else:
                raise DataError(
                    f"{before.origin} and {survey.origin} are both of {survey.year}, with different content. "
                    f"Give one of them, or nobody would know who is counted"
                )
    if not found:
        raise DataError("no file of the survey was found. Give the CSV or zip of a year as Kaggle serves it")
    chosen = [found[year] for year in sorted(found) if not years or year in years]
    if not chosen:
        raise DataError(
            f"no file is of {_listed(years)}; the files given are of {_listed(found)}. Leave --year out, or give "
            f"another file"
        )
    absent = sorted(set(years) - set(found))
    if absent:
        say(f"No file is of {_listed(absent)}.")
    return chosen


def analyse(
    surveys: Sequence[Survey],
    *,
    question: str,
    selection: Selection,
    by: str | None = None,
    say: Callable[[str], None],
) -> list[Result]:
    """The shares, for each year; for each group of each year with `by` "country" or "role".

    Args:
        say: told which year is left out, and why.
    Raises:
        UsageError: no such question, country or role.
        DataError: nobody is left, or no year asked.
    """
    results: list[Result] = []
    reasons: list[str] = []
    for survey in surveys:
        try:
            results += _analyse_one(survey, question, selection, by)
        except (NotAskedError, _NobodyLeftError) as error:
            reasons.append(str(error))
            if len(surveys) > 1:
                say(f"{str(error)[:1].upper()}{str(error)[1:].rstrip('.')}.")
    if not results:
        raise DataError(". ".join(reason.rstrip(".") for reason in reasons))
    # The largest group of all years first, so that groups stand in the same order everywhere.
    sizes: dict[str, int] = {}
    for result in results:
        sizes[result.group] = sizes.get(result.group, 0) + result.num_answered
    return sorted(results, key=lambda each: (each.year, -sizes[each.group], each.group))


class _NobodyLeftError(Exception):
    """The filters leave nobody of a year; the message says which removed how many."""


def _analyse_one(survey: Survey, name: str, selection: Selection, by: str | None) -> list[Result]:
    asked = question_of(survey, name)
    grouped_by = {"country": survey.layout.country, "role": survey.layout.role}.get(by or "")
    wanted = {*columns_needed(survey, selection), *asked.columns, *([grouped_by] if grouped_by else [])}
    selected = select(survey, survey.columns(wanted), selection)
    if selected.rows.is_empty():
        steps = "; ".join(map(str, selected.steps))
        raise _NobodyLeftError(
            f"of {selected.num_in_file:,} respondents of {survey.year} nobody is left: "
            f"{steps or 'the file has none'}. Loosen a filter"
        )
    if not grouped_by:
        return [_result(survey, asked, selected, selected.rows, group="")]
    naming = countries() if by == "country" else roles()
    rows = selected.rows
    texts: dict[str, list[str]] = {}
    for text in rows[grouped_by].unique().drop_nulls().sort():
        texts.setdefault(naming.name(text), []).append(text)
    groups = [
        _result(survey, asked, selected, rows.filter(rows[grouped_by].is_in(each)), group=group)
        for group, each in texts.items()
    ]
    return [group for group in groups if group.num_answered >= _SMALLEST_GROUP] or groups


def _result(
    survey: Survey, question: Question, selected: Selected, rows: polars.DataFrame, *, group: str
) -> Result:
    shares = shares_of(survey, question, rows)
    return Result(
        year=survey.year,
        origin=survey.origin,
        question=question,
        group=group,
        num_in_file=selected.num_in_file,
        num_respondents=rows.height,
        num_answered=shares[0].num_answered if shares else 0,
        shares=tuple(shares),
        selected=selected,
    )


def check_grouping(by: str | None) -> None:
    """Raise UsageError for what answers cannot be told apart by."""
    if by is not None and by not in GROUPINGS:
        raise UsageError(f"--by must be {', '.join(GROUPINGS[:-1])} or {GROUPINGS[-1]}, not {by!r}")


def _listed(years: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(years)))
