"""Fetches the survey's files from Kaggle through kagglehub, which needs an account there."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from openbook.errors import FetchError, UsageError
from openbook.survey.layouts import layouts

__all__ = ["download_surveys"]

_BY_HAND = "Or download the file in a browser, and give it: openbook survey FILE"


def download_surveys(years: Sequence[int], *, say: Callable[[str], None]) -> list[Path]:
    """Fetch the files of some years, or of all; what kagglehub has already is not fetched again.

    Returns:
        the folder of each year, in the order of the years.
    Raises:
        UsageError: kagglehub is not installed, or there was no survey in that year.
        FetchError: Kaggle wants a log-in, its rules accepted, or cannot be reached.
    """
    known = layouts()
    for year in years:
        if year not in known:
            raise UsageError(f"--year {year}: there was no survey; there are {', '.join(map(str, known))}")
    if importlib.util.find_spec("kagglehub") is None:
        raise UsageError(
            f"--download needs the package kagglehub, which is not installed: pip install kagglehub. {_BY_HAND}"
        )
    hub = importlib.import_module("kagglehub")
    return [_download(hub, year, say) for year in sorted(years or known)]


def _download(hub: Any, year: int, say: Callable[[str], None]) -> Path:
    kind, name = (layouts()[year].kaggle[key] for key in ("kind", "name"))
    say(f"Fetching the survey of {year} from Kaggle ({kind} {name}) …")
    try:
        fetch = hub.dataset_download if kind == "dataset" else hub.competition_download
        return Path(fetch(name))
    except Exception as error:  # kagglehub and what it rests on raise many kinds
        raise FetchError(_explained(error, year, kind, name)) from error


def _explained(error: Exception, year: int, kind: str, name: str) -> str:
    """What went wrong at Kaggle, and what to do."""
    page = f"kaggle.com/{'datasets' if kind == 'dataset' else 'competitions'}/{name}"
    said = next(iter(str(error).splitlines()), "").strip()
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None) or _status(said)
    is_log_in = "authent" in type(error).__name__.lower() or "credential" in said.lower()
    if status == 401 or (is_log_in and status != 403):
        return (
            f"Kaggle gives the survey of {year} only to those who are logged in. Make a token on kaggle.com under "
            f"Settings, API, and put kaggle.json into the folder .kaggle of your home, or set KAGGLE_USERNAME and "
            f"KAGGLE_KEY. {_BY_HAND}"
        )
    if status in (403, 404):
        return (
            f"Kaggle does not give the survey of {year} to this account yet. Open {page} in a browser, log in "
            f"and accept its rules, then try again. {_BY_HAND}"
        )
    return (
        f"the survey of {year} could not be fetched from Kaggle ({type(error).__name__}: {said[:200]}). Check "
        f"the network and try again. {_BY_HAND}"
    )


def _status(text: str) -> int | None:
    found = re.search(r"\b(401|403|404)\b", text)
    return int(found[1]) if found else None
