"""Where a project finds its data: a copy of a known data set, or the reader's own files where they lie."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path

from openbook.data.address import AddressOrigin, is_address
from openbook.data.labelled_pictures import MAX_BYTES
from openbook.data.picture_catalog import PICTURE_CATALOG
from openbook.data.source import Source, fetch
from openbook.errors import DataError
from openbook.runs import Run


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataPlace:
    """Data as a project names it.

    Attributes:
        written: a path, within the project's folder for a copy.
        copies: files on this machine by their path in the project.
    """

    written: str
    copies: dict[str, Path]

    @property
    def is_copied(self) -> bool:
        return bool(self.copies)

    def copy_into(self, folder: Path) -> None:
        """Put the copies into a project's folder."""
        for name, path in self.copies.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)


def place_of(run: Run) -> DataPlace:
    """The data of a run, fetched again where it came from elsewhere and is no longer here.

    Raises:
        DataError: it is not there any more.
    """
    data = str(run.section("settings")["data"])
    if data in PICTURE_CATALOG:
        sources = PICTURE_CATALOG[data].sources
    elif is_address(data):
        address = AddressOrigin.parse(data)
        sources = (Source(name=str(address), origins=(address,)),)
    else:
        path = Path(str(run.section("data")["origin"].get("path", data))).expanduser()
        if not path.exists():
            raise DataError(
                f"{path}: the data of {run.name} is no longer there, and its project would read it. Put it back, "
                f"or train anew"
            )
        return DataPlace(written=str(path.resolve()), copies={})
    paths = [fetch(source, max_bytes=MAX_BYTES).path for source in sources]
    # In the cache the names begin with a part of the hash; a number keeps the order of several files.
    names = [re.sub(r"^[0-9a-f]{12}-", "", path.name) for path in paths]
    if len(paths) > 1:
        names = [f"{number}-{name}" for number, name in enumerate(names, 1)]
        return DataPlace(
            written="data",
            copies={f"data/{name}": path for name, path in zip(names, paths, strict=True)},
        )
    return DataPlace(written=f"data/{names[0]}", copies={f"data/{names[0]}": paths[0]})
