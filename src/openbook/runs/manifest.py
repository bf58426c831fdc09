"""The file manifest.json: size and SHA-256 of every file of a complete run.

It is written last, so its presence says that the run is complete. Checkpoints, which only serve to go on with
training, the reader's notes, which grow later, and hidden files (locks, temporary files, what file managers
leave) are not part of it. A file that was put into the folder later is no damage either: only what
the manifest names is checked.
"""

import dataclasses
import hashlib
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from openbook.errors import RunError
from openbook.runs.strict_json import read_object, to_json

__all__ = [
    "CHECKPOINTS_NAME",
    "MANIFEST_NAME",
    "NOTES_NAME",
    "Fingerprint",
    "check_files",
    "fingerprint_files",
    "manifest_content",
    "read_manifest",
]

MANIFEST_NAME = "manifest.json"
CHECKPOINTS_NAME = "checkpoints"
NOTES_NAME = "notes.jsonl"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """What a file's content is known by."""

    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "Fingerprint":
        """The fingerprint of a file as it is now."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return cls(size_bytes=file.tell(), sha256=digest)

    @classmethod
    def of_content(cls, content: bytes) -> "Fingerprint":
        """The fingerprint that a file with this content has."""
        return cls(size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def fingerprint_files(folder: Path, *, without: Collection[str] = ()) -> dict[str, Fingerprint]:
    """Fingerprints of all files that belong into the manifest, by their path inside the run, sorted."""

    def refuse(error: OSError) -> None:
        raise error

    found: dict[str, Fingerprint] = {}
    for parent, folder_names, file_names in os.walk(folder, onerror=refuse):
        is_top = Path(parent) == folder
        folder_names[:] = [
            name
            for name in folder_names
            if not name.startswith(".") and not (is_top and name == CHECKPOINTS_NAME)
        ]
        for file_name in file_names:
            path = Path(parent, file_name)
            name = path.relative_to(folder).as_posix()
            # is_file: opening a pipe or a socket that somebody left here would wait for ever.
            if (
                not file_name.startswith(".")
                and name not in (MANIFEST_NAME, NOTES_NAME)
                and name not in without
                and path.is_file()
            ):
                found[name] = Fingerprint.of(path)
    return dict(sorted(found.items()))


def manifest_content(files: Mapping[str, Fingerprint]) -> bytes:
    """The bytes of manifest.json for these files."""
    entries = {name: dataclasses.asdict(files[name]) for name in sorted(files)}
    return (to_json({"schema_version": 1, "files": entries}, indent=2) + "\n").encode()


def read_manifest(folder: Path) -> dict[str, Fingerprint]:
    """The fingerprints by path inside the run.

    Raises:
        RunError: the manifest is missing or damaged.
    """
    path = folder / MANIFEST_NAME
    files = read_object(path).get("files")
    if not isinstance(files, dict) or not files:
        raise RunError(
            f"{path}: expected the list of the run's files under 'files', got none. Copy the run again"
        )
    manifest: dict[str, Fingerprint] = {}
    for name, entry in files.items():
        size_bytes, sha256 = (
            (entry.get("size_bytes"), entry.get("sha256")) if isinstance(entry, dict) else (None, None)
        )
        if not _is_inside(name) or not isinstance(size_bytes, int) or not isinstance(sha256, str):
            raise RunError(f"{path}: the entry {name!r} is not one that openbook wrote. Copy the run again")
        manifest[name] = Fingerprint(size_bytes=size_bytes, sha256=sha256)
    return manifest


def check_files(folder: Path, manifest: Mapping[str, Fingerprint]) -> None:
    """Compares the files that `manifest` names with what lies in the folder.

    Raises:
        RunError: naming the first file that is missing, cut off or changed.
    """
    for name, expected in manifest.items():
        path = folder / name
        try:
            size_bytes = path.stat().st_size
            # The size is compared first: it finds most half-copied files without reading gigabytes.
            received = Fingerprint.of(path) if size_bytes == expected.size_bytes else None
        except FileNotFoundError as error:
            raise RunError(f"{path}: this file of the run is missing. Copy the run again, whole") from error
        except OSError as error:
            raise RunError(
                f"{path}: cannot be read ({error.strerror or error}). Copy the run again"
            ) from error
        if size_bytes < expected.size_bytes:
            raise RunError(
                f"{path}: is cut off: expected {expected.size_bytes} bytes, got {size_bytes}. "
                f"Copy the run again"
            )
        if received != expected:
            raise RunError(
                f"{path}: was changed after the run was complete: expected {expected.size_bytes} bytes with "
                f"SHA-256 {expected.sha256[:12]}…, got {size_bytes} bytes"
                + (f" with {received.sha256[:12]}…" if received else "")
                + ". Copy the run again from where it is whole"
            )


def _is_inside(name: str) -> bool:
    # A name that leads out of the run would make checking read files that are none of the run's business.
    path = Path(name)
    is_relative = not path.is_absolute() and not path.drive
    return bool(path.parts) and is_relative and ".." not in path.parts and "\0" not in name
