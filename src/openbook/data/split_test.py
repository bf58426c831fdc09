"""The split depends on each document's content and on nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbook.data.split import content_hash, held_out_flags
from openbook.errors import UsageError

HASHES = [content_hash(f"document {number}".encode()) for number in range(5000)]
UNIQUE_TEXTS = st.lists(st.binary(max_size=20), min_size=2, max_size=30, unique=True)


def test_the_share_is_kept():
    # 5000 draws at 10 %: a standard deviation is 21, five of them 106.
    assert abs(sum(held_out_flags(HASHES, 0.1)) - 500) < 106


def test_a_document_stays_on_its_side_whatever_else_is_there():
    sides = dict(zip(HASHES, held_out_flags(HASHES, 0.2), strict=True))
    others = HASHES[::-3]
    assert held_out_flags(others, 0.2) == [sides[found] for found in others]


def test_a_larger_share_only_adds_to_the_held_out_side():
    small, large = held_out_flags(HASHES, 0.1), held_out_flags(HASHES, 0.3)
    assert all(in_large for in_small, in_large in zip(small, large, strict=True) if in_small)


@given(UNIQUE_TEXTS, st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_neither_side_is_ever_empty(texts, share):
    flags = held_out_flags([content_hash(text) for text in texts], share)
    assert any(flags)
    assert not all(flags)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_impossible_shares_are_refused(share):
    with pytest.raises(UsageError, match=r"between 0 and 1.*got"):
        held_out_flags(HASHES[:2], share)


def test_hashes_are_the_same_on_every_machine():
    assert content_hash(b"This movie").hex() == "dd4a14c1a45609416889b7562f4d9cf2"
