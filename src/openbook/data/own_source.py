"""A source of the user's own: a path or an address, as it stands behind `--data`."""

from collections.abc import Iterable
from pathlib import Path

from openbook.data.address import AddressOrigin, is_address
from openbook.data.display import harmless
from openbook.data.local import LocalOrigin, missing_path_error
from openbook.data.source import Source
from openbook.errors import UsageError

__all__ = ["own_source"]


def own_source(given: str | Path, known_names: Iterable[str]) -> Source:
    """The source that a path or an address names.

    Args:
        known_names: of the data sets that could have been meant instead.
    Raises:
        UsageError: nothing was given.
        DataError: there is no such path; near names are told.
    """
    if isinstance(given, str):
        if not given.strip():
            raise UsageError(f"Expected a path, an address or one of {', '.join(known_names)}; got nothing.")
        if is_address(given):
            address = AddressOrigin.parse(given)
            return Source(name=str(address), origins=(address,))
    path = Path(given).expanduser()
    try:
        path.stat()
    except FileNotFoundError:
        raise missing_path_error(str(given), known_names) from None
    except (OSError, ValueError):
        pass  # opening it says what is wrong
    return Source(name=harmless(str(given)), origins=(LocalOrigin(path=path),))
