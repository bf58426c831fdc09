"""The file run.json: its fields, and what makes it a valid one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openbook.errors import RunError, UsageError
from openbook.runs.machine import describe_machine, package_versions
from openbook.runs.strict_json import parse_object, read_object, to_json

__all__ = [
    "RECORD_NAME",
    "SCHEMA_VERSION",
    "STATUSES",
    "new_record",
    "parse_time",
    "read_record",
    "record_content",
]

RECORD_NAME = "run.json"
SCHEMA_VERSION = 1
STATUSES = ("training", "interrupted", "complete", "failed")

_SECTIONS = ("settings", "settings_default", "data", "machine", "versions", "forecast", "actual", "score")


def new_record(fields: Mapping[str, object], *, recipe: str, name: str) -> dict[str, object]:
    """The record of a new run: `fields`, and the empty form of what they leave out."""
    defaults: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "recipe": recipe,
        "name": name,
        "created": datetime.now(UTC).isoformat(),
        "status": "training",
        "settings": {},
        "settings_default": {},
        "data": {},
        "machine": {},
        "versions": {},
        "seed": None,
        "forecast": None,
        "actual": {},
        "score": {},
        "kept": None,
        "sessions": [],
    }
    record = {**defaults, **fields, "schema_version": SCHEMA_VERSION, "recipe": recipe, "name": name}
    return record | {
        "machine": record["machine"] or describe_machine(),
        "versions": record["versions"] or package_versions(),
    }


def record_content(record: Mapping[str, object]) -> bytes:
    """The record as the bytes of run.json.

    Raises:
        UsageError: a field has a value that run.json cannot hold.
    """
    content = (to_json(record, indent=2) + "\n").encode()
    problem = _problem(parse_object(content, origin=RECORD_NAME))
    if problem:
        raise UsageError(f"{RECORD_NAME} cannot be written so: {problem}. Correct the field and try again")
    return content


def read_record(folder: Path) -> dict[str, Any]:
    """The record of the run in `folder`.

    Raises:
        RunError: run.json is missing or damaged, or a newer openbook wrote it.
    """
    path = folder / RECORD_NAME
    record = read_object(path)
    version = record.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise RunError(
            f"{path}: was written by a newer openbook: expected schema_version up to {SCHEMA_VERSION}, got "
            f"{version}. Upgrade openbook to use this run"
        )
    problem = _problem(record)
    if problem:
        raise RunError(f"{path}: {problem}; the file was changed or damaged. Copy the run again")
    return record


def parse_time(text: object) -> datetime:
    """A moment as run.json writes it, in UTC.

    Raises:
        ValueError: it is no moment in ISO form.
    """
    moment = datetime.fromisoformat(str(text))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _problem(record: Mapping[str, Any]) -> str:
    version, recipe, status = (record.get(name) for name in ("schema_version", "recipe", "status"))
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        return f"expected schema_version {SCHEMA_VERSION}, got {version!r}"
    if not isinstance(recipe, str) or not recipe:
        return f"expected the recipe's name, got {recipe!r}"
    if status not in STATUSES:
        return f"expected a status of {', '.join(STATUSES)}, got {status!r}"
    for name in _SECTIONS:
        if not isinstance(record.get(name), dict | None):
            return f"expected {name!r} to be an object, got {record[name]!r}"
    try:
        parse_time(record.get("created"))
    except (ValueError, OverflowError):
        return f"expected the time of creation, got {record.get('created')!r}"
    return ""
