"""Columns of text read as numbers: decimal commas, thousands, and the many ways to say that a value is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars

__all__ = ["as_numbers", "without_missing"]

MISSING_WORDS = ("", "na", "n/a", "nan", "null", "none", "nil", "missing", "-", "--", "?", ".", "#n/a", "\\n")

# Both a thousand's comma and a decimal point, or two commas: then commas part thousands.
_THOUSANDS = r"^[+-]?\d{1,3}(,\d{3})*(,\d{3},\d{3}|,\d{3}\.\d+)$"


def without_missing(texts: polars.Series) -> polars.Series:
    """Stripped texts, null where the text says that there is no value."""
    import polars

    stripped = texts.cast(polars.String).str.strip_chars()
    return stripped.set(stripped.str.to_lowercase().is_in(list(MISSING_WORDS)), None)


def as_numbers(texts: polars.Series) -> polars.Series:
    """The column as float64, null where there is no finite number.

    A comma is a decimal sign unless one text shows that it parts thousands.
    """
    import polars

    present = without_missing(texts)
    numbers = present.cast(polars.Float64, strict=False)
    left = present.filter(numbers.is_null() & present.is_not_null())
    if len(left):
        compact = present.str.replace_all(r"[\s\u00a0']", "")
        if left.str.replace_all(r"[\s\u00a0']", "").str.contains(_THOUSANDS).any():
            plain = compact.str.replace_all(",", "", literal=True)
        else:
            # In 1.234,5 the point parts thousands.
            has_both = compact.str.contains(r"\..*,")
            without_points = compact.str.replace_all(".", "", literal=True)
            plain = without_points.zip_with(has_both.fill_null(False), compact).str.replace(
                ",", ".", literal=True
            )
        numbers = numbers.fill_null(plain.cast(polars.Float64, strict=False))
    return numbers.set(~numbers.is_finite(), None)
