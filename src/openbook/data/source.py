"""A source: one data set and the origins it can come from, tried in order."""

import contextlib
import contextvars
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from openbook.data.cache import Progress, silent
from openbook.errors import FetchError

__all__ = ["Fetched", "Origin", "Source", "fetch", "only_what_is_here"]

_may_obtain = contextvars.ContextVar("_may_obtain", default=True)


class Origin(Protocol):
    """One place a data set can come from. Each kind of origin is one file of this package.

    `str(origin)` names it in messages.
    """

    def find(self) -> Path | None:
        """The file or folder if it is already on this machine and unchanged."""

    def obtain(self, *, max_bytes: int, progress: Progress) -> Path:
        """The file or folder, fetched and checked.

        Raises:
            FetchError: it cannot be reached, or what came is not what was promised.
        """

    def record(self) -> dict[str, object]:
        """What `run.json` says about it: `kind` and whatever identifies the content."""

    def by_hand(self) -> str | None:
        """How a person can put the file in place when no program can fetch it."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a data set comes from; the first origin that works is used."""

    name: str
    origins: tuple[Origin, ...]


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A file or folder on this machine and the record of where it came from."""

    path: Path
    record: dict[str, object]


@contextlib.contextmanager
def only_what_is_here() -> Iterator[None]:
    """Within this, `fetch` takes nothing from the network: what is not on this machine is an error."""
    token = _may_obtain.set(False)
    try:
        yield
    finally:
        _may_obtain.reset(token)


def fetch(source: Source, *, max_bytes: int, progress: Progress = silent) -> Fetched:
    """Get a data set; one that is already here is used without the network.

    Raises:
        FetchError: no origin could be used; the message names each with its reason.
    """
    for origin in source.origins:
        path = origin.find()
        if path is not None:
            return Fetched(path=path, record=origin.record())
    if not _may_obtain.get():
        raise FetchError(f"{source.name}: is not on this machine yet")
    failures: list[tuple[Origin, FetchError]] = []
    for origin in source.origins:
        try:
            path = origin.obtain(max_bytes=max_bytes, progress=progress)
        except FetchError as error:
            failures.append((origin, error))
            continue
        return Fetched(path=path, record=origin.record())
    raise _all_failed(source, failures)


def _all_failed(source: Source, failures: list[tuple[Origin, FetchError]]) -> FetchError:
    by_hand = [advice for origin, _ in failures if (advice := origin.by_hand())]
    reasons = "".join(f"\n  {error}" for _, error in failures)
    ways_out = ["Connect to the network and try again", *by_hand, "give texts of your own with --data PATH"]
    return FetchError(f"{source.name}: could not be fetched.{reasons}\n{'; or '.join(ways_out)}.")
