"""Where profiles are kept: this machine's, measured once; imported ones; and those of common devices."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import hashlib
import importlib.resources
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from openbook.errors import RunError, UsageError
from openbook.forecasting.load import machine_load
from openbook.forecasting.machine_profile import MachineProfile, load_profile
from openbook.forecasting.reference import reference_profile

# A file to take for this machine's profile instead of measuring, such as one that a computing centre hands out.
PROFILE_VARIABLE = "OPENBOOK_PROFILE"
_HERE_PREFIX = "this-machine-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def identity_digest(identity: Mapping[str, Any]) -> str:
    """A short text that is the same for the same machine and settings."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]


def profile_here(folder: Path, *, say: Callable[[str], None], anew: bool = False) -> MachineProfile:
    """This machine's profile, from the folder if it still holds, else measured.

    Args:
        folder: where profiles are kept; what cannot be written there is measured again next time.
        say: told what takes long, and why it is measured again.
        anew: measure whatever is there.
    """
    from openbook.forecasting.measuring import identity, measure

    given = os.environ.get(PROFILE_VARIABLE, "").strip()
    if given and not anew:
        return load_profile(Path(given).expanduser())
    now = identity()
    path = folder / f"{_HERE_PREFIX}{identity_digest(now)}.json"
    known = None
    if os.path.exists(path) and not anew:
        try:
            known = load_profile(path)
        except UsageError:
            say(f"The profile of this machine in {path.name} is damaged; it is measured again.")
    if known is not None and dict(known.identity) == now:
        return known
    change = "" if anew else _what_changed(folder, now)
    say(f"{change}Measuring how fast this machine is, once; this takes less than ten seconds …")
    load = machine_load()
    profile = measure()
    if load.spread:
        say(f"Other programs use {load.share:.0%} of the processors: it will be measured again next time.")
        return profile
    # A cache folder that cannot be written only means measuring again the next time.
    with contextlib.suppress(OSError, RunError):
        profile.save(path)
    return profile


def named_profile(name: str, folder: Path) -> MachineProfile:
    """A profile by its name among the imported ones and those of common devices, or by the path of its file.

    Raises:
        UsageError: there is none.
    """
    if "/" in name or name.endswith(".json") or "\\" in name:
        return load_profile(Path(name).expanduser())
    imported = folder / f"{name}.json"
    if _NAME.fullmatch(name) and imported.exists():
        return load_profile(imported)
    devices = reference_devices()
    if name in devices:
        return reference_profile(name, devices[name])
    known = [*imported_names(folder), *devices]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}"
    raise UsageError(f"there is no machine called {name!r}. {hint}")


def import_profile(path: Path, folder: Path, *, name: str | None = None) -> MachineProfile:
    """Keep a profile from a file under a name.

    Raises:
        UsageError: it is no profile, or the name is taken by a known device or cannot be a file's name.
    """
    profile = load_profile(path)
    chosen = name or path.stem
    if not _NAME.fullmatch(chosen) or chosen.startswith(_HERE_PREFIX):
        raise UsageError(
            f"{chosen!r} cannot be the name of a machine: letters, digits, dots, hyphens and underscores, "
            f"as in --name my-laptop"
        )
    if chosen in reference_devices():
        raise UsageError(f"{chosen} is a device that openbook knows already. Choose another name with --name")
    renamed = dataclasses.replace(profile, name=chosen)
    try:
        renamed.save(folder / f"{chosen}.json")
    except OSError as error:
        raise UsageError(
            f"{folder}: cannot be written ({error.strerror or error}). Set OPENBOOK_CACHE to another folder"
        ) from error
    return renamed


def imported_names(folder: Path) -> list[str]:
    """Names of the imported profiles, sorted."""
    return sorted(path.stem for path in folder.glob("*.json") if not path.name.startswith(_HERE_PREFIX))


def reference_devices() -> dict[str, dict[str, Any]]:
    """Published figures of common devices by name; see `reference_devices.json`."""
    text = (
        importlib.resources.files("openbook.forecasting")
        .joinpath("reference_devices.json")
        .read_text("utf-8")
    )
    devices: dict[str, dict[str, Any]] = json.loads(text)["devices"]
    return devices


def _what_changed(folder: Path, now: Mapping[str, Any]) -> str:
    """A sentence on what is not as in the newest profile of this machine; empty where there is none."""
    paths = sorted(folder.glob(f"{_HERE_PREFIX}*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in paths:
        with contextlib.suppress(UsageError):
            before = load_profile(path).identity
            changed = [key for key in now if before.get(key) != now[key]]
            texts = [
                f"{key.replace('_', ' ')} {_short(before.get(key))} → {_short(now[key])}" for key in changed
            ]
            if texts:
                return f"This machine is not what it was ({'; '.join(texts)}). "
    return ""


def _short(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value) or "none"
