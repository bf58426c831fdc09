"""What is known about a run, and what changes while it trains."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from openbook.errors import RunError
from openbook.page.answers import plain
from openbook.page.inputs.reading import Json
from openbook.page.jobs import event

if TYPE_CHECKING:
    from openbook.runs import Run

_INTERVAL_S = 0.5


def run_info(run: Run) -> Json:
    """`RunInfo` of docs/page-protocol.md, read anew."""
    from openbook.runs import Run as RunFolder
    from openbook.runs.details import RunDetails

    # A run in training changes while it is looked at.
    run = RunFolder.open(run.path)
    details = RunDetails.of(run)
    data = run.section("data")
    content: Json = {
        "name": run.name,
        "recipe": run.recipe,
        "status": run.status,
        "created": run.created.isoformat(),
        "settings": dict(run.section("settings")),
        "settings_default": dict(run.section("settings_default")),
        "score": dict(run.section("score")),
        "actual": _actual_facts(run),
        "forecast": _forecast_facts(run),
        "machine": dict(run.section("machine")),
        "versions": {name: version for name, version in run.section("versions").items() if version},
        "data": {"source": str(data.get("source", "")), "report": data.get("report") or {}} if data else None,
        "metrics": details.metrics,
        "samples": [
            {"name": name, "text": text} for name, text in details.samples.items() if text is not None
        ],
    }
    cleaned: Json = plain(content)
    return cleaned


# What a person compares; the rest of a forecast is for the next one.
_COMPARED = ("time_s", "train_s", "memory_bytes", "steps", "step_s", "disk_bytes", "level")


def _forecast_facts(run: Run) -> Json | None:
    """The forecast with its ranges as (low, high); None where none was made."""
    forecast = run.section("forecast")
    if not forecast:
        return None
    facts = {name: forecast[name] for name in _COMPARED if name in forecast}
    return {
        name: [value["low"], value["high"]] if isinstance(value, dict) else value
        for name, value in facts.items()
    }


def _actual_facts(run: Run) -> Json:
    """What happened, under the names of the forecast."""
    # Peak memory is not known where the process, a notebook's perhaps, held more before.
    known = run.section("actual").items()
    actual = {name: value for name, value in known if name != "phases" and value is not None}
    if "total_s" in actual:
        actual = {"time_s": actual.pop("total_s"), **actual}
    return actual


async def run_events(run: Run) -> AsyncIterator[bytes]:
    """`metrics` with the rows added since, `run` when something else changed; ends with the training."""
    known = await run_in_threadpool(run_info, run)
    yield event("run", known)
    while known["status"] == "training":
        await asyncio.sleep(_INTERVAL_S)
        try:
            now = await run_in_threadpool(run_info, run)
        except RunError:
            # A file was being replaced; the next look finds it whole.
            continue
        rows, old_rows = now["metrics"], known["metrics"]
        is_longer = rows[: len(old_rows)] == old_rows
        if is_longer and len(rows) > len(old_rows):
            yield event("metrics", rows[len(old_rows) :])
        if not is_longer or _without_metrics(now) != _without_metrics(known):
            yield event("run", now)
        elif rows == old_rows:
            # A comment, which tells whether anybody still listens.
            yield b": waiting\n\n"
        known = now


def _without_metrics(info: Json) -> dict[str, Any]:
    return {name: value for name, value in info.items() if name != "metrics"}
