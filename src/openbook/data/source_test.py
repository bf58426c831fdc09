"""The first origin that works is used; what is already here is used without asking anyone."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from openbook.data.source import Source, fetch, only_what_is_here
from openbook.errors import DataError, FetchError


@dataclass(kw_only=True)
class ScriptedOrigin:
    """An origin that is present, works or fails as the test says."""

    name: str
    here: bool = False
    failure: Exception | None = None
    hand: str | None = None
    calls: list[str] = field(default_factory=list)

    def find(self) -> Path | None:
        return Path(self.name) if self.here else None

    def obtain(self, *, max_bytes, progress) -> Path:
        self.calls.append(self.name)
        if self.failure:
            raise self.failure
        return Path(self.name)

    def record(self) -> dict[str, object]:
        return {"kind": self.name}

    def by_hand(self) -> str | None:
        return self.hand


def fetch_from(*origins: ScriptedOrigin):
    return fetch(Source(name="reviews", origins=origins), max_bytes=100)


def test_origins_are_tried_in_order_and_the_one_used_is_recorded():
    failing = ScriptedOrigin(name="first", failure=FetchError("first: no route."))
    working = ScriptedOrigin(name="second")
    unused = ScriptedOrigin(name="third")
    assert fetch_from(failing, working, unused).record == {"kind": "second"}
    assert (failing.calls, working.calls, unused.calls) == (["first"], ["second"], [])


def test_what_is_already_here_is_used_without_the_network():
    unreachable = ScriptedOrigin(name="first", failure=FetchError("first: no route."))
    cached = ScriptedOrigin(name="second", here=True)
    assert fetch_from(unreachable, cached).path == Path("second")
    assert unreachable.calls == []


def test_when_all_origins_fail_each_reason_is_named_with_a_way_out():
    with pytest.raises(FetchError) as caught:
        fetch_from(
            ScriptedOrigin(name="a", failure=FetchError("wheel a: no index.")),
            ScriptedOrigin(name="b", failure=FetchError("b: 404."), hand="save it by hand as /cache/b"),
        )
    assert str(caught.value) == (
        "reviews: could not be fetched.\n  wheel a: no index.\n  b: 404.\n"
        "Connect to the network and try again; or save it by hand as /cache/b; or give texts of your own "
        "with --data PATH."
    )


def test_data_that_is_wrong_in_itself_is_not_looked_for_elsewhere():
    wrong = ScriptedOrigin(name="first", failure=DataError("too large"))
    with pytest.raises(DataError, match="too large"):
        fetch_from(wrong, ScriptedOrigin(name="second"))


def test_nothing_is_obtained_where_only_what_is_here_may_be_used():
    far, here = ScriptedOrigin(name="far"), ScriptedOrigin(name="here", here=True)
    with only_what_is_here():
        assert fetch_from(far, here).record == {"kind": "here"}
        with pytest.raises(FetchError, match="reviews: is not on this machine yet"):
            fetch_from(far)
    assert far.calls == []
    assert fetch_from(far).record == {"kind": "far"}
