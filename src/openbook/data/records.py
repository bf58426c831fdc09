"""Tables for learning one of their columns: read, typed, checked, and told apart row by row."""

# N = rows

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from openbook.data.cache import Progress, silent
from openbook.data.display import counted, harmless, shortened
from openbook.data.facts_report import FactsReport
from openbook.data.own_source import own_source
from openbook.data.record_catalog import RECORD_CATALOG, RecordDataSet
from openbook.data.record_tables import FoundTable, table_at
from openbook.data.row_hashes import fingerprint_of, num_unique, row_hashes, with_targets
from openbook.data.source import Source, fetch
from openbook.data.typed_columns import (
    BOOLEAN,
    CATEGORY,
    DATE,
    EMPTY,
    NESTED,
    NUMBER,
    TypedColumn,
    as_numbers,
    has_decimal_commas,
    typed_column,
)
from openbook.errors import DataError

if TYPE_CHECKING:
    import polars

__all__ = ["Records", "load_records"]

MAX_BYTES = 4 << 30
MIN_ROWS = 10
MIN_DIFFERENT_ROWS = 4
MAX_CATEGORIES = 10_000
# A column this close to the target on a straight line is the target in other words.
LEAKING_CORRELATION = 0.9999
# Rows whose target is no number are left out up to this share; more of them mean another column was meant.
_MAX_ODD_SHARE = 0.1

_TARGET_NAMES = (
    "target",
    "price",
    "label",
    "y",
    "medv",
    "saleprice",
    "sale_price",
    "medianhousevalue",
    "median_house_value",
    "medhouseval",
)
_IDENTIFIER_NAMES = (
    "id",
    "index",
    "rownames",
    "row_id",
    "rowid",
    "key",
    "uuid",
    "guid",
    "unnamed: 0",
    "nr",
    "no",
)
_IDENTIFIER_SHARE = 0.9
_NUM_SAMPLE_ROWS = 2000
_MAX_NAMES_SHOWN = 12


@dataclasses.dataclass(frozen=True, kw_only=True)
class Records:
    """Rows with a number to be learned.

    Attributes:
        frame: the other columns; Float64, String or Datetime.
        kinds: of these columns by name: "number", "boolean", "category" or "date".
        target: name of the learned column.
        targets_N: float64.
        hashes: 16 bytes of each row's other columns, which decide its side of the split; rows that agree in
            them are always on one side.
        num_different: how many different hashes there are.
        unit: of the target; "" where unknown.
    """

    frame: polars.DataFrame
    kinds: Mapping[str, str]
    target: str
    targets_N: np.ndarray
    hashes: tuple[bytes, ...]
    num_different: int
    report: FactsReport
    fingerprint: str
    origin: dict[str, object]
    unit: str = ""


def load_records(
    source: str,
    *,
    target: str | None = None,
    drop: Sequence[str] = (),
    catalog: Mapping[str, RecordDataSet] = RECORD_CATALOG,
    max_bytes: int = MAX_BYTES,
    progress: Progress = silent,
) -> Records:
    """Read a table.

    Args:
        source: a data set by name, or the path or address of a CSV, TSV, JSON, JSON lines or Parquet file, of a
            folder or archive of such.
        target: the column to learn; guessed when left out.
        drop: columns to leave out.
    Raises:
        DataError: it cannot be used; the message says what was found and what would do.
    """
    known = catalog.get(source, _OWN)
    wanted_source = known.source if source in catalog else own_source(source, catalog)
    fetched = fetch(wanted_source, max_bytes=max_bytes, progress=progress)
    table = table_at(fetched.path, max_bytes=max_bytes, member=known.member, names=known.names)
    wanted = target if target is not None else (known.target or None)
    name, is_guessed = _target_name(table.names, wanted)
    dropped = [_column_named(table.names, each, "--drop") for each in drop]
    if name in dropped:
        raise DataError(f"column {harmless(name)!r} is the target, so it cannot be left out with --drop")
    return _Assembly(
        shown=harmless(source), table=table, target=name, is_guessed=is_guessed, dropped=dropped, known=known
    ).records(dict(fetched.record))


_OWN = RecordDataSet(title="", licence="", source=Source(name="", origins=()), target="", unit="")


def _target_name(names: Sequence[str], wanted: str | None) -> tuple[str, bool]:
    """The target's name, and whether it was guessed."""
    if wanted is not None:
        return _column_named(names, wanted, "--target"), False
    if len(names) < 2:
        raise DataError(
            f"the table has one column ({_listed(names)}); a number is learned from the other columns. "
            f"Is another sign between the fields than a comma, a semicolon, a tab or a bar?"
        )
    by_lower = {name.lower(): name for name in reversed(names)}
    known = [by_lower[each] for each in _TARGET_NAMES if each in by_lower]
    return (known or [names[-1]])[0], True


def _column_named(names: Sequence[str], wanted: str, flag: str) -> str:
    if wanted in names:
        return wanted
    meant = [name for name in names if name.strip().lower() == wanted.strip().lower()]
    if len(meant) == 1:
        return meant[0]
    by_lower = {name.lower(): name for name in names}
    near = [by_lower[each] for each in difflib.get_close_matches(wanted.lower(), by_lower, n=2, cutoff=0.5)]
    hint = f"Did you mean {' or '.join(map(harmless, near))}? " if near else ""
    raise DataError(
        f"there is no column {harmless(wanted)!r}. {hint}Columns: {_listed(names)}. Choose another with {flag}"
    )


@dataclasses.dataclass(kw_only=True)
class _Assembly:
    """Records on the way: columns are typed one after another, and what is of no use is left out and told."""

    shown: str
    table: FoundTable
    target: str
    is_guessed: bool
    dropped: Sequence[str]
    known: RecordDataSet
    facts: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)

    def records(self, origin: dict[str, object]) -> Records:
        import polars

        decimal_commas = self._has_decimal_commas() or None
        target = self._target(decimal_commas)
        is_kept = target.is_not_null()
        targets_N = target.filter(is_kept).to_numpy().astype(np.float64)
        self._check_target(targets_N)
        columns: dict[str, polars.Series] = {}
        kinds: dict[str, str] = {}
        for name in self.table.names:
            if name == self.target or name in self.dropped:
                continue
            typed = typed_column(self.table.values(name, None), decimal_commas=decimal_commas)
            typed = dataclasses.replace(typed, values=typed.values.filter(is_kept))
            reason = self._useless(name, typed)
            if reason:
                self.left_out.setdefault(name, reason)
                continue
            self._tell_reading(name, typed)
            columns[name], kinds[name] = typed.values, typed.kind
        if not columns:
            reasons = "; ".join(f"{harmless(name)}: {reason}" for name, reason in self.left_out.items())
            raise DataError(
                f"{self.shown}: no column is left to learn {harmless(self.target)!r} from ({reasons}). "
                f"Add columns that say something about it"
            )
        frame = polars.DataFrame(columns)
        self._warn_of_leaks(frame, kinds, targets_N)
        hashes_N2 = row_hashes(frame, kinds)
        whole_N2 = with_targets(hashes_N2, targets_N)
        num_duplicates = len(whole_N2) - num_unique(whole_N2)
        if num_duplicates:
            self.facts.append(
                ("Duplicates", f"{counted(num_duplicates, 'row')} came before; equal rows stay on one side")
            )
        fingerprint = fingerprint_of(whole_N2, [*columns, self.target])
        hashes = tuple(np.ascontiguousarray(hashes_N2).view("V16").ravel().tolist())
        num_different = num_unique(hashes_N2)
        if num_different < MIN_DIFFERENT_ROWS:
            raise DataError(
                f"{self.shown}: has {counted(num_different, 'different row')} besides the target, expected "
                f"{MIN_DIFFERENT_ROWS} or more, since equal rows stay on one side of the split"
            )
        report = self._report(frame, kinds, targets_N, fingerprint, num_duplicates)
        return Records(
            frame=frame,
            kinds=kinds,
            target=self.target,
            targets_N=targets_N,
            hashes=hashes,
            num_different=num_different,
            report=report,
            fingerprint=fingerprint,
            origin=origin,
            unit=self.known.unit if self.target == self.known.target else "",
        )

    def _has_decimal_commas(self) -> bool:
        return any(has_decimal_commas(self.table.values(name, _NUM_SAMPLE_ROWS)) for name in self.table.names)

    def _target(self, decimal_commas: bool | None) -> polars.Series:
        """The target as numbers; rows without one are null."""
        values = self.table.values(self.target, None)
        typed = typed_column(values, decimal_commas=decimal_commas)
        shown = harmless(self.target)
        others = f"Choose a column of numbers with --target; there are: {self._number_names(decimal_commas)}"
        no_numbers = {DATE: "dates", NESTED: "lists or objects", EMPTY: "nothing", BOOLEAN: "yes and no"}
        if typed.kind in no_numbers:
            raise DataError(
                f"the target {shown!r} holds {no_numbers[typed.kind]}, expected numbers. {others}"
            )
        if typed.kind == CATEGORY:
            text = typed.values
            numbers = as_numbers(text, decimal_commas=decimal_commas)
            num_present = len(text) - text.null_count()
            if numbers.num_odd > _MAX_ODD_SHARE * num_present:
                raise DataError(
                    f"the target {shown!r} holds text in {numbers.num_odd:,} of {num_present:,} rows "
                    f"({_quoted(numbers.odd)}), expected numbers. {others}"
                )
            typed = numbers
        if typed.num_odd:
            self.warnings.append(
                f"the target {shown} is no number in {counted(typed.num_odd, 'row')} ({_quoted(typed.odd)}); "
                f"they are left out"
            )
        num_missing = typed.values.null_count() - typed.num_odd
        if num_missing:
            self.warnings.append(
                f"the target {shown} is missing in {counted(num_missing, 'row')}; they are left out"
            )
        self._tell_reading(self.target, dataclasses.replace(typed, num_odd=0))
        return typed.values

    def _number_names(self, decimal_commas: bool | None) -> str:
        found = [
            name
            for name in self.table.names[:100]
            if name != self.target
            and typed_column(self.table.values(name, _NUM_SAMPLE_ROWS), decimal_commas=decimal_commas).kind
            == NUMBER
        ]
        return _listed(found) if found else "none"

    def _check_target(self, targets_N: np.ndarray) -> None:
        shown = harmless(self.target)
        if len(targets_N) < MIN_ROWS:
            raise DataError(
                f"{self.shown}: has {counted(len(targets_N), 'row')} with a target, expected {MIN_ROWS} or more. "
                f"Give more rows"
            )
        if np.ptp(targets_N) == 0.0:
            raise DataError(
                f"the target {shown!r} is {targets_N[0]:g} in all {len(targets_N):,} rows, so there is nothing to "
                f"learn. Choose another column with --target"
            )

    def _useless(self, name: str, typed: TypedColumn) -> str:
        """Why a column is left out; "" when it is kept."""
        values = typed.values
        if typed.kind == NESTED:
            return "lists or objects"
        if typed.kind == EMPTY:
            return "empty"
        num_unique = values.n_unique()
        if num_unique == 1:
            return f"constant ({shortened(str(values[0]), max_chars=20)})"
        num_present = len(values) - values.null_count()
        if _is_numbering(name, typed, num_unique, num_present):
            return "an identifier: different in every row"
        if typed.kind == CATEGORY:
            if num_unique >= MAX_CATEGORIES:
                return f"{num_unique:,} categories, at most {MAX_CATEGORIES - 1:,} are learned"
            if num_present >= MIN_ROWS and num_unique > _IDENTIFIER_SHARE * num_present:
                return f"an identifier or free text: {num_unique:,} different values in {num_present:,} rows"
        return ""

    def _tell_reading(self, name: str, typed: TypedColumn) -> None:
        if typed.note:
            self.facts.append(("Read as", f"{harmless(name)}: {typed.note}"))
        if typed.num_odd:
            said = f" ({_quoted(typed.odd)})" if typed.odd else ""
            self.warnings.append(
                f"{harmless(name)} is of another kind in {counted(typed.num_odd, 'row')}{said}; "
                f"that counts as missing"
            )

    def _warn_of_leaks(
        self, frame: polars.DataFrame, kinds: Mapping[str, str], targets_N: np.ndarray
    ) -> None:
        for name, kind in kinds.items():
            if kind not in (NUMBER, BOOLEAN):
                continue
            correlation = _correlation(frame.get_column(name).to_numpy(), targets_N)
            if abs(correlation) > LEAKING_CORRELATION:
                self.warnings.append(
                    f"{harmless(name)} tells the target {harmless(self.target)} almost exactly (correlation "
                    f"{correlation:.5f}). It is kept; if it is not known beforehand, leave it out with "
                    f"--drop {harmless(name)}"
                )

    def _report(
        self,
        frame: polars.DataFrame,
        kinds: Mapping[str, str],
        targets_N: np.ndarray,
        fingerprint: str,
        num_duplicates: int,
    ) -> FactsReport:
        unit = self.known.unit if self.target == self.known.target else ""
        facts = [("Source", self.shown)]
        facts += [("Title", self.known.title)] if self.known.title else []
        facts += [("Licence", self.known.licence)] if self.known.licence else []
        facts.append(("Read as", "; ".join(self.table.notes)))
        guessed = " (guessed; choose with --target)" if self.is_guessed else ""
        middle, low, high = np.median(targets_N), targets_N.min(), targets_N.max()
        facts += [
            ("Rows", f"{len(targets_N):,}"),
            (
                "Target",
                f"{harmless(self.target)}{guessed}: {low:g} to {high:g}{f' {unit}' if unit else ''}, "
                f"half of them below {middle:g}",
            ),
        ]
        for kind, word in (
            (NUMBER, "Numbers"),
            (BOOLEAN, "Yes or no"),
            (DATE, "Dates"),
            (CATEGORY, "Categories"),
        ):
            names = [name for name, found in kinds.items() if found == kind]
            if names:
                facts.append((word, f"{len(names)}: {_listed(names)}"))
        missing = {name: count for name in kinds if (count := frame.get_column(name).null_count())}
        if missing:
            most = sorted(missing, key=lambda name: -missing[name])[:6]
            more = f" and {len(missing) - 6} more columns" if len(missing) > 6 else ""
            facts.append(
                ("Missing", ", ".join(f"{harmless(name)} {missing[name]:,}" for name in most) + more)
            )
        facts += self.facts
        facts += [("Left out", f"{harmless(name)}: {reason}") for name, reason in self.left_out.items()]
        facts += [("Left out", f"{harmless(name)}: as asked for") for name in self.dropped]
        warnings = [*self.table.warnings, *self.warnings, *([self.known.note] if self.known.note else [])]
        return FactsReport(
            facts=tuple(facts),
            fingerprint=fingerprint,
            examples=tuple(_example(frame, self.target, targets_N, row) for row in range(2)),
            warnings=tuple(warnings),
            numbers={
                "num_rows": len(targets_N),
                "target": self.target,
                "kinds": dict(kinds),
                "missing": missing,
                "left_out": {**self.left_out, **dict.fromkeys(self.dropped, "as asked for")},
                "num_duplicates": num_duplicates,
            },
        )


def _is_numbering(name: str, typed: TypedColumn, num_unique: int, num_present: int) -> bool:
    """Whether a column of numbers only numbers the rows."""
    if (
        typed.kind != NUMBER
        or num_unique != num_present
        or num_present < MIN_ROWS
        or typed.values.null_count()
    ):
        return False
    numbers_N = typed.values.to_numpy()
    if not np.array_equal(numbers_N, np.floor(numbers_N)):
        return False
    is_named = name.lower() in _IDENTIFIER_NAMES or name.lower().endswith(("_id", " id"))
    return is_named or bool((np.diff(numbers_N) == 1.0).all())


def _correlation(values_N: np.ndarray, targets_N: np.ndarray) -> float:
    """Pearson's, over the rows that have both; 0 where a side is constant."""
    is_both_N = np.isfinite(values_N)
    if is_both_N.sum() < MIN_ROWS:
        return 0.0
    first, second = values_N[is_both_N], targets_N[is_both_N]
    # Divided by the largest first: squares of huge numbers would overflow.
    first, second = (each / max(np.abs(each).max(), np.finfo(float).tiny) for each in (first, second))
    first, second = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / norm if norm > 0.0 else 0.0


def _example(frame: polars.DataFrame, target: str, targets_N: np.ndarray, row: int) -> str:
    cells = [(name, frame.get_column(name)[row]) for name in frame.columns]
    shown = [
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in cells[:8]
    ]
    return shortened(f"{target}={targets_N[row]:g} from {', '.join(shown)}", max_chars=160)


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join(repr(shortened(text, max_chars=24)) for text in texts)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(harmless, names[:_MAX_NAMES_SHOWN]))
    return f"{shown} and {len(names) - _MAX_NAMES_SHOWN} more" if len(names) > _MAX_NAMES_SHOWN else shown
