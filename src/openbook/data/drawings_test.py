"""Drawings out of a font, as far as they can be tried without fetching one."""

import pytest

from openbook.data.drawings import _RANGES, _code_points


def test_no_drawing_is_in_two_classes():
    found = [code_point for ranges in _RANGES.values() for code_point in _code_points(ranges)]
    assert len(found) == len(set(found))
    assert len(found) > 600


@pytest.mark.parametrize(("ranges", "expected"), [("A", [10]), ("A-C 1F600", [10, 11, 12, 0x1F600])])
def test_ranges_hold_both_ends(ranges, expected):
    assert list(_code_points(ranges)) == expected
