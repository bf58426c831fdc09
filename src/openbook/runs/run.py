"""One run: the folder that training writes and everybody else reads.

    run.json        recipe, settings, data, machine, versions, forecast, what really happened, score
    metrics.jsonl   one line per measured step
    model.keras     the trained model; its preprocessing lies beside it
    checkpoints/    what training needs to go on
    samples/        what the model made while it learned
    examples.json   held-out examples with the model's answers, its mistakes first
    notes.jsonl     what the reader wrote about it
    manifest.json   size and SHA-256 of every file but the checkpoints; written last: the run is complete

Files are replaced atomically, and no path inside names the machine: a run can be copied and used elsewhere.
"""

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

from openbook.errors import RunError, UsageError
from openbook.runs import manifest as manifests
from openbook.runs.atomic import (
    atomic_replace,
    atomic_write,
    sync_file,
    sync_folder,
    write_error,
    write_new_file,
)
from openbook.runs.locking import hold_lock, is_locked
from openbook.runs.metrics import append_row, read_rows, truncate_rows
from openbook.runs.names import absolute_path, check_name, next_name, runs_folder, shown_path
from openbook.runs.record import RECORD_NAME, new_record, parse_time, read_record, record_content
from openbook.runs.strict_json import read_object, to_json

__all__ = ["EXAMPLES_NAME", "METRICS_NAME", "MODEL_NAME", "Run"]

METRICS_NAME = "metrics.jsonl"
EXAMPLES_NAME = "examples.json"

MODEL_NAME = "model.keras"
_SAMPLES_NAME = "samples"
_CREATING_PREFIX = ".creating-"


@final
class Run:
    """A run folder. Make one with `Run.create`; open one with `Run.open` or `openbook.runs.find_run`."""

    def __init__(self, path: Path, record: dict[str, Any]) -> None:
        self._path = path
        self._record = record

    def __repr__(self) -> str:
        return f"Run({str(self._path)!r}, status={self._record['status']!r})"

    @classmethod
    def create(
        cls,
        *,
        recipe: str,
        record: Mapping[str, object],
        parent: str | os.PathLike[str] | None = None,
        name: str | None = None,
    ) -> "Run":
        """Makes a new run folder in one step: it appears whole or not at all.

        Args:
            recipe: name of the recipe; without `name` the folder is called `<recipe>-<n>`.
            record: fields of run.json; the others get their empty form, machine and versions are found out.
            parent: folder that holds the run; `runs_folder()` when left out.
            name: name of the folder.
        Raises:
            UsageError: the name is taken or cannot be a folder's name.
            RunError: the folder cannot be written.
        """
        folder = runs_folder() if parent is None else absolute_path(parent)
        if name is not None:
            check_name(name)
        check_name(f"{recipe}-1")
        temporary = folder / f"{_CREATING_PREFIX}{secrets.token_hex(4)}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _remove_abandoned(folder)
            (temporary / manifests.CHECKPOINTS_NAME).mkdir(parents=True)
            (temporary / _SAMPLES_NAME).mkdir()
            write_new_file(temporary / METRICS_NAME, b"")
            return cls._create_in(folder, temporary, recipe=recipe, record=record, name=name)
        except (FileExistsError, NotADirectoryError) as error:
            raise RunError(
                f"{folder}: expected a folder to hold the runs, got a file. "
                f"Move it away, or choose another folder with OPENBOOK_RUNS"
            ) from error
        except OSError as error:
            raise write_error(folder / (name or recipe), error) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    @classmethod
    def _create_in(
        cls, folder: Path, temporary: Path, *, recipe: str, record: Mapping[str, object], name: str | None
    ) -> "Run":
        while True:
            chosen = name or next_name(folder, recipe)
            content = record_content(new_record(record, recipe=recipe, name=chosen))
            (temporary / RECORD_NAME).unlink(missing_ok=True)
            write_new_file(temporary / RECORD_NAME, content)
            sync_file(temporary / RECORD_NAME)
            target = folder / chosen
            # A rename would silently take the place of an empty folder, so the name is looked up first.
            if not os.path.lexists(target):
                try:
                    temporary.rename(target)
                except OSError:
                    # Another process may have taken the name between looking and renaming: then the next one.
                    if not os.path.lexists(target):
                        raise
                else:
                    sync_folder(folder)
                    return cls.open(target)
            if name is not None:
                raise UsageError(
                    f"{shown_path(target)} exists already. Choose another name, "
                    f"or go on with it: openbook train --resume {name}"
                )

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Run":
        """Opens a run folder; of a complete run, run.json is checked against the manifest.

        Raises:
            RunError: there is no run, or its run.json or manifest is damaged; the message names the file.
        """
        folder = absolute_path(path)
        if not folder.is_dir():
            received = "a file" if os.path.exists(folder) else "nothing"
            raise RunError(
                f"{folder}: expected the folder of a run, got {received}. `openbook runs` lists the runs"
            )
        if not any(os.path.exists(folder / name) for name in (RECORD_NAME, manifests.MANIFEST_NAME)):
            raise RunError(
                f"{folder}: expected the folder of a run, but there is no {RECORD_NAME} in it. "
                f"`openbook runs` lists the runs; if this one was copied, copy it again"
            )
        run = cls(folder, read_record(folder))
        try:
            run._check_if_complete(RECORD_NAME)
        except RunError:
            # The run may have been closed or opened anew between reading the two files; damage stays.
            time.sleep(0.05)
            run = cls(folder, read_record(folder))
            run._check_if_complete(RECORD_NAME)
        return run

    @property
    def path(self) -> Path:
        """The run's folder, absolute."""
        return self._path

    @property
    def name(self) -> str:
        """The folder's name; it stays true when the run is copied under another name."""
        return self._path.name

    @property
    def recipe(self) -> str:
        """Name of the recipe that was trained."""
        return str(self._record["recipe"])

    @property
    def record(self) -> Mapping[str, Any]:
        """What run.json says, read-only."""
        return MappingProxyType(self._record)

    @property
    def created(self) -> datetime:
        """When the run was made, in UTC."""
        return parse_time(self._record["created"])

    @property
    def status(self) -> str:
        """One of `record.STATUSES`, checked against what is so.

        A run whose process was killed while training is "interrupted"; so is one that lacks its manifest.
        """
        recorded = str(self._record["status"])
        if recorded == "training" and not is_locked(self._path):
            return "interrupted"
        if recorded == "complete" and not self.is_complete:
            return "interrupted"
        return recorded

    @property
    def is_complete(self) -> bool:
        """Whether the manifest, which is written last, is there."""
        return os.path.exists(self._path / manifests.MANIFEST_NAME)

    @property
    def checkpoints(self) -> Path:
        """Folder of what training needs to go on; not part of the manifest."""
        return self._path / manifests.CHECKPOINTS_NAME

    @property
    def model_path(self) -> Path:
        """Where the trained model lies, once it is saved."""
        return self._path / MODEL_NAME

    @property
    def samples_folder(self) -> Path:
        """Folder of what the model made while it learned."""
        return self._path / _SAMPLES_NAME

    def section(self, name: str) -> Mapping[str, Any]:
        """One part of run.json, such as "score" or "settings"; empty where it is not filled yet."""
        return MappingProxyType(self._record.get(name) or {})

    def update(self, **fields: object) -> None:
        """Replaces fields of run.json atomically.

        A complete run stays complete unless its status changes.

        Raises:
            UsageError: a field has a value that run.json cannot hold.
            RunError: run.json is damaged, or the folder cannot be written; the old file is untouched.
        """
        record = {**read_record(self._path), **fields}
        content = record_content(record)
        with contextlib.ExitStack() as replacements:
            if self.is_complete:
                self.verify(RECORD_NAME)
                manifest = manifests.read_manifest(self._path)
                manifest[RECORD_NAME] = manifests.Fingerprint.of_content(content)
                if record["status"] == "complete":
                    path = replacements.enter_context(atomic_replace(self._path / manifests.MANIFEST_NAME))
                    write_new_file(path, manifests.manifest_content(manifest))
            path = replacements.enter_context(atomic_replace(self._path / RECORD_NAME))
            write_new_file(path, content)
            # Everything is on the disk: now the old manifest goes, run.json is renamed, then the new
            # manifest. A crash in between leaves the run incomplete, but never at odds with its manifest.
            self._reopen()
        self._record = read_record(self._path)

    def append_metrics(self, row: Mapping[str, object]) -> None:
        """Appends one row to metrics.jsonl; a complete run is open again from then on."""
        self._reopen()
        append_row(self._path / METRICS_NAME, row)

    def metrics(self) -> list[dict[str, Any]]:
        """All rows of metrics.jsonl; a last line that was torn by a kill is left out.

        Raises:
            RunError: the file is missing or damaged, or does not match the manifest of a complete run.
        """
        self._check_if_complete(METRICS_NAME)
        return read_rows(self._path / METRICS_NAME)

    def examples(self) -> list[dict[str, Any]]:
        """Held-out examples with the model's answers, its mistakes first; none in runs that left none.

        Raises:
            RunError: the file is damaged.
        """
        path = self._path / EXAMPLES_NAME
        if not path.exists():
            return []
        self._check_if_complete(EXAMPLES_NAME)
        return list(read_object(path).get("examples") or [])

    def save_examples(self, examples: Sequence[Mapping[str, Any]]) -> None:
        """Writes held-out examples with the model's answers, the worst mistakes first."""
        self._reopen()
        atomic_write(self._path / EXAMPLES_NAME, to_json({"examples": list(examples)}, indent=1) + "\n")

    def truncate_metrics(self, *, after_step: int) -> None:
        """Drops the rows after a step, for going on from there, and a torn last line."""
        self._reopen()
        truncate_rows(self._path / METRICS_NAME, after_step=after_step)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Holds the run for training; temporary files of a killed process are cleared away.

        Raises:
            RunError: another process trains in this run, or its folder cannot be written.
        """
        with hold_lock(self._path):
            yield

    def complete(self) -> None:
        """Sets the status to "complete" and writes the manifest, last of all.

        Raises:
            RunError: a file cannot be read or written; the run stays incomplete.
        """
        self._reopen()
        try:
            # The large files are read first: between "complete" in run.json and the manifest lies only an
            # instant.
            files = manifests.fingerprint_files(self._path, without=(RECORD_NAME,))
            for name in files:
                sync_file(self._path / name)
            self.update(status="complete")
            files[RECORD_NAME] = manifests.Fingerprint.of(self._path / RECORD_NAME)
        except OSError as error:
            raise RunError(
                f"{error.filename or self._path}: cannot be read to close the run "
                f"({error.strerror or error}). "
                f"Check its permissions, then: openbook train --resume {self.name}"
            ) from error
        atomic_write(self._path / manifests.MANIFEST_NAME, manifests.manifest_content(files))

    def verify(self, *names: str) -> None:
        """Checks the files of the run, or only those named, against the manifest.

        A run that is not complete has no manifest; then run.json and metrics.jsonl must be readable.

        Raises:
            RunError: naming the file that is missing, cut off or changed.
        """
        if self.is_complete:
            manifest = manifests.read_manifest(self._path)
            unknown = sorted(set(names) - set(manifest))
            if unknown:
                raise RunError(
                    f"{self._path / unknown[0]}: is no part of this run; it has {', '.join(manifest)}. "
                    f"Copy the run again if this file belongs to it"
                )
            manifests.check_files(self._path, {name: manifest[name] for name in names or manifest})
            return
        if self._record["status"] == "complete":
            raise RunError(
                f"{self._path / manifests.MANIFEST_NAME}: is missing, though the run says it is complete; it "
                f"was "
                f"half copied, or stopped while it was closed. Copy it again, or close it: "
                f"openbook train --resume {self.name}"
            )
        read_record(self._path)
        read_rows(self._path / METRICS_NAME)

    def _check_if_complete(self, name: str) -> None:
        if self.is_complete:
            self.verify(name)

    def _reopen(self) -> None:
        if not self.is_complete:
            return
        path = self._path / manifests.MANIFEST_NAME
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise write_error(path, error) from error
        sync_folder(self._path)


def _remove_abandoned(folder: Path) -> None:
    # What a kill in the middle of `create` left; an hour is far longer than any creation takes.
    for path in folder.glob(f"{_CREATING_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > 3600:
                shutil.rmtree(path, ignore_errors=True)
