"""Who of a survey is counted: filters by country, role, experience and studies, and how many each one removed."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from openbook.errors import UsageError
from openbook.survey.reading import Survey
from openbook.survey.spellings import Spellings, countries, plain, roles, years_between

if TYPE_CHECKING:
    import polars

__all__ = ["NotAskedError", "Selected", "Selection", "Step", "select"]


class NotAskedError(Exception):
    """A year did not ask what a filter needs to know; the message says so."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Selection:
    """Who is counted; nothing set means everybody.

    Attributes:
        countries, roles: names or other spellings; one of them must fit.
        min_coding_years, min_ml_years: somebody whose answer may stand for less is left out.
    """

    countries: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    min_coding_years: float | None = None
    min_ml_years: float | None = None
    exclude_students: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """What one filter did.

    Attributes:
        filter: as one types it.
        num_removed, num_left: respondents.
        remark: what the reader should know of it; empty if nothing.
    """

    filter: str
    num_removed: int
    num_left: int
    remark: str = ""

    def to_dict(self) -> dict[str, object]:
        """As it stands in `--json`."""
        remark = {"remark": self.remark} if self.remark else {}
        return {"filter": self.filter, "num_removed": self.num_removed, "num_left": self.num_left, **remark}

    def __str__(self) -> str:
        remark = f" ({self.remark})" if self.remark else ""
        return f"{self.filter} removed {self.num_removed:,}{remark}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Selected:
    """The respondents that are left, and how that came.

    Attributes:
        rows: all that was read of them.
        num_in_file: respondents before any filter.
    """

    rows: polars.DataFrame
    num_in_file: int
    steps: tuple[Step, ...]


def columns_needed(survey: Survey, selection: Selection) -> tuple[str, ...]:
    """The columns that the filters look at.

    Raises:
        NotAskedError: the year did not ask.
    """
    layout = survey.layout
    wanted = {
        "--country": layout.country if selection.countries else "",
        "--role": layout.role if selection.roles else "",
        "--min-coding-years": layout.coding_years if selection.min_coding_years is not None else "",
        "--min-ml-years": (layout.machine_learning_years if selection.min_ml_years is not None else ""),
        "--exclude-students": layout.student[0] if selection.exclude_students else "",
    }
    for flag, column in wanted.items():
        if column is None:
            raise NotAskedError(
                f"{layout.year} did not ask for what {flag} needs, so that year is left out; "
                f"leave {flag} out to count it"
            )
        if column and column not in survey.header:
            raise NotAskedError(
                f"{survey.origin} lacks the column {column}, which {flag} needs, so it is left out"
            )
    return tuple(column for column in wanted.values() if column)


def select(survey: Survey, rows: polars.DataFrame, selection: Selection) -> Selected:
    """Apply the filters one after another.

    Args:
        rows: with the columns that `columns_needed` names.
    Raises:
        UsageError: a country or role that no year knows.
    """
    num_in_file, steps = rows.height, []
    for step_filter, column, keeps, remark in _filters(survey, rows, selection):
        before = rows.height
        kept = {text for text in rows[column].unique().drop_nulls() if keeps(text)}
        rows = rows.filter(rows[column].is_in(list(kept)))
        steps.append(
            Step(
                filter=step_filter,
                num_removed=before - rows.height,
                num_left=rows.height,
                remark=remark,
            )
        )
    if selection.exclude_students:
        column, answer = survey.layout.student
        before = rows.height
        # Who was not asked, or did not answer, is not known to study.
        rows = rows.filter((rows[column] != answer).fill_null(value=True))
        steps.append(
            Step(filter="--exclude-students", num_removed=before - rows.height, num_left=rows.height)
        )
    return Selected(rows=rows, num_in_file=num_in_file, steps=tuple(steps))


def names_meant(
    given: Iterable[str], spellings: Spellings, present: Collection[str], *, flag: str
) -> frozenset[str]:
    """The names that texts stand for.

    Args:
        given: as somebody typed them; one may hold several between commas.
        present: the names that the file has.
    Raises:
        UsageError: no year knows one of them.
    """
    known = {plain(name).casefold(): name for name in (*present, *spellings.names.values())}
    found: set[str] = set()
    for text in given:
        whole = spellings.known(text) or known.get(plain(text).casefold())
        # "Iran, Islamic Republic of..." is one country; "US, Canada" are two.
        parts = [text] if whole or "," not in text else [part for part in text.split(",") if part.strip()]
        for part in parts:
            name = spellings.known(part) or known.get(plain(part).casefold())
            if name is None:
                candidates = {**spellings.names, **known}
                near = difflib.get_close_matches(plain(part).casefold(), candidates, n=3, cutoff=0.7)
                names = dict.fromkeys(candidates[each] for each in near)
                shown = sorted(set(spellings.names.values()) | set(present))
                hint = f"Did you mean {' or '.join(names)}?" if names else f"There are: {', '.join(shown)}"
                raise UsageError(f"{flag} {plain(part)!r}: no year of the survey has it. {hint}")
            found.add(name)
    return frozenset(found)


_Filter = tuple[str, str, Callable[[str], bool], str]


def _filter_by_name(
    rows: polars.DataFrame,
    flag: str,
    wanted: Iterable[str],
    spellings: Spellings,
    column: str,
    why_missing: str,
) -> _Filter:
    """Keeps the answers that stand for one of some names, however the file spells them."""
    present = {spellings.name(text) for text in rows[column].unique().drop_nulls()}
    chosen = names_meant(wanted, spellings, present, flag=flag)
    missing = ", ".join(sorted(chosen - present))
    remark = f"{missing}: {why_missing}" if missing else ""
    return (
        f"{flag} {', '.join(sorted(chosen))}",
        column,
        lambda text: spellings.name(text) in chosen,
        remark,
    )


def _filters(survey: Survey, rows: polars.DataFrame, selection: Selection) -> Iterator[_Filter]:
    """Each filter: as typed, its column, which answers it keeps, and a remark on what was left."""
    layout = survey.layout
    # Kaggle counts countries with fewer than 50 answers as Other.
    few = f"not in the file of {layout.year}, where countries with fewer than 50 answers are counted as Other"
    for flag, wanted, spellings, column, why_missing in (
        ("--country", selection.countries, countries(), layout.country, few),
        ("--role", selection.roles, roles(), layout.role, f"not among the roles of {layout.year}"),
    ):
        if wanted:
            yield _filter_by_name(rows, flag, wanted, spellings, column, why_missing)
    for flag, years, years_column in (
        ("--min-coding-years", selection.min_coding_years, layout.coding_years),
        ("--min-ml-years", selection.min_ml_years, layout.machine_learning_years),
    ):
        if years is not None:
            assert years_column is not None  # `columns_needed` has looked
            yield _years_filter(f"{flag} {years:g}", years_column, years, rows)


def _years_filter(text: str, column: str, years: float, rows: polars.DataFrame) -> _Filter:
    between = {answer: years_between(answer) for answer in rows[column].unique().drop_nulls()}
    unknown = sorted(answer for answer, known in between.items() if known is None)
    may_be_less = sorted(
        (plain(answer) for answer, known in between.items() if known and known[0] < years < known[1]),
        key=lambda answer: (len(answer), answer),
    )
    remarks = []
    if may_be_less:
        remarks.append(f"also {', '.join(may_be_less)}, which may be less")
    if unknown:
        remarks.append(f"also answers that are not known: {', '.join(map(repr, unknown))}")

    def keeps(answer: str) -> bool:
        known = between.get(answer)
        return known is not None and known[0] >= years

    return text, column, keeps, "; ".join(remarks)
