"""Forecast against what really happened: `python -m bench.forecast`.

For each setting, in fresh processes and with nothing compiled before: `openbook forecast --level profile`, then
`openbook train`, which makes a forecast of its own (a probe) before it begins. Time and memory are taken from
outside: the clock around the command, and the operating system's peak of its resident memory. The machine should
be idle. Results go to `bench/results/forecast.json` as they come, so a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.fresh_process import OPENBOOK, environment, fresh, run

RESULTS = Path(__file__).parent / "results" / "forecast.json"
LEVELS = ("profile", "probe")


def setting(data: str, recipe: str = "text-generator", **flags: Any) -> dict[str, Any]:
    """One line of the benchmark: data by name (or so many MB of the reviews) and flags of `openbook train`."""
    return {"recipe": recipe, "data": data, **flags}


SETTINGS: tuple[dict[str, Any], ...] = (
    setting("2", size="tiny", steps=60, precision="float32"),
    setting("2", size="tiny", steps=60, precision="bfloat16"),
    setting("2", size="tiny", steps=150, batch_size=4, precision="float32"),
    setting("2", size="tiny", steps=40, batch_size=16, precision="float32"),
    setting("2", size="tiny", steps=20, batch_size=32, precision="float32"),
    setting("2", size="tiny", steps=12, batch_size=64, precision="float32"),
    setting("2", size="tiny", steps=200, context_length=32, precision="float32"),
    setting("2", size="tiny", steps=100, context_length=64, precision="float32"),
    setting("2", size="tiny", steps=30, context_length=256, precision="float32"),
    setting("2", size="tiny", steps=12, context_length=512, precision="float32"),
    setting("2", size="tiny", steps=100, num_blocks=1, precision="float32"),
    setting("2", size="tiny", steps=40, num_blocks=6, precision="float32"),
    setting("2", size="tiny", steps=25, num_blocks=12, precision="float32"),
    setting("2", size="tiny", steps=100, width=64, num_heads=1, precision="float32"),
    setting("2", size="tiny", steps=30, width=256, num_heads=4, precision="float32"),
    setting("2", size="tiny", steps=10, width=512, num_heads=8, precision="float32"),
    setting("2", size="tiny", steps=60, width=128, num_heads=8, precision="float32"),
    setting("2", size="tiny", steps=60, vocabulary_size=512, precision="float32"),
    setting("4", size="tiny", steps=40, vocabulary_size=8192, precision="float32"),
    setting("2", size="tiny", steps=60, tied_output=True, precision="float32"),
    setting("2", size="small", steps=12, precision="float32"),
    setting("2", size="small", steps=12, precision="bfloat16"),
    setting("4", size="small", steps=30, batch_size=4, precision="float32"),
    setting("4", size="small", steps=12, context_length=64, batch_size=16, precision="bfloat16"),
    setting("2", size="medium", steps=5, batch_size=4, precision="float32"),
    setting("2", size="medium", steps=8, batch_size=2, context_length=128, precision="float32"),
    setting("2", size="tiny", epochs=0.2, precision="float32"),
    setting("1", size="tiny", epochs=0.5, batch_size=16, precision="bfloat16"),
    setting("8", size="tiny", steps=60, precision="float32"),
    setting("imdb", size="tiny", steps=100, precision="float32"),
    setting("imdb", size="tiny", budget="30s"),
    setting("4", size="small", budget="25s"),
    setting("mnist-5k", "digits", epochs=4),
    setting("mnist-5k", "digits", model="dense", epochs=20),
    setting("mnist-5k", "digits", num_filters=64, steps=60),
    setting("boston", "regression", epochs=40),
    setting("weather", "forecasting", model="lstm", epochs=2),
    setting("weather", "forecasting", model="conv1d", steps=300),
    setting("imdb", "text-classifier", model="bag", epochs=1),
    setting("imdb", "text-classifier", model="lstm", steps=60),
    setting("imdb", "text-classifier", model="transformer", steps=60),
    setting("openmoji", "image-classifier", steps=30),
    setting("openmoji", "image-classifier", model="pretrained", epochs=4),
    setting("openmoji-scenes", "segmentation", steps=25),
)


def main() -> None:
    """Run the settings that have no result yet, and print the errors of all."""
    parser = argparse.ArgumentParser(prog="python -m bench.forecast", description=__doc__)
    parser.add_argument("--limit", type=int, default=len(SETTINGS), help="only the first so many settings")
    parser.add_argument("--anew", action="store_true", help="measure again what has a result, after the rest")
    parser.add_argument("--summary", action="store_true", help="only print what is there")
    given = parser.parse_args()
    rows = json.loads(RESULTS.read_text("utf-8"))["rows"] if RESULTS.exists() else []
    known = [row["settings"] for row in rows]
    wanted = [flags for flags in SETTINGS[: given.limit] if flags not in known]
    wanted += [flags for flags in SETTINGS[: given.limit] if flags in known and given.anew]
    if wanted and not given.summary:
        with tempfile.TemporaryDirectory(prefix="openbook-bench-") as folder:
            prepare(Path(folder))
            for flags in wanted:
                row = measure(flags, Path(folder))
                rows = [*(each for each in rows if each["settings"] != flags), row]
                rows.sort(
                    key=lambda each: SETTINGS.index(each["settings"]) if each["settings"] in SETTINGS else -1
                )
                write(rows)
                print(json.dumps(row), flush=True)
    print(json.dumps(summary(rows), indent=1))


def prepare(place: Path) -> None:
    """The data in the cache, the machine's profile, and parts of the data as files."""
    variables = environment(place / "cache", place / "runs")
    for recipe, source in sorted({(each["recipe"], each["data"]) for each in SETTINGS}):
        if not source.isdigit():
            command = [*OPENBOOK, "data", source, "--recipe", recipe]
            subprocess.run(command, env=variables, check=True, capture_output=True)
    subprocess.run([*OPENBOOK, "profile", "--json"], env=variables, check=True, capture_output=True)
    script = (
        "from openbook.data import load_texts; import json, sys\n"
        "texts = load_texts('imdb').texts\n"
        "for megabytes in (1, 2, 4, 8):\n"
        "    size, path = 0, f'{sys.argv[1]}/reviews-{megabytes}.jsonl'\n"
        "    with open(path, 'w', encoding='utf-8') as file:\n"
        "        for text in texts:\n"
        "            if size > 1e6 * megabytes: break\n"
        "            size += len(text.encode()); file.write(json.dumps({'text': text}) + '\\n')\n"
    )
    subprocess.run([sys.executable, "-c", script, str(place)], env=variables, check=True)


def measure(flags: Mapping[str, Any], place: Path) -> dict[str, Any]:
    """Forecast one setting, then train it, each in a fresh process, with no program compiled before."""
    data = flags["data"]
    source = str(place / f"reviews-{data}.jsonl") if data.isdigit() else data
    arguments = [str(flags["recipe"]), "--data", source]
    for name, value in flags.items():
        if name not in ("recipe", "data"):
            arguments += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
    with fresh(place) as variables:
        forecast = json.loads(
            run(["forecast", *arguments, "--level", "profile", "--json", "--quiet"], variables)[0]
        )
        output, wall_s, peak_bytes = run(["train", *arguments, "--json", "--quiet"], variables)
        record = json.loads(Path(json.loads(output)["run"], "run.json").read_text("utf-8"))
    probe = record["forecast"]
    return {
        "settings": dict(flags),
        "actual": {
            "time_s": round(wall_s, 3),
            "memory_bytes": peak_bytes,
            "step_s": record["actual"]["step_s"],
            "phases": record["actual"]["phases"],
        },
        "profile": _kept(forecast),
        "probe": _kept(probe),
    }


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Errors over all settings, for each level: |forecast / actual - 1|."""
    result: dict[str, Any] = {"num_settings": len(rows)}
    for level in LEVELS:
        # A step that takes long is not probed; then training begins with a forecast from the profile.
        of_level = [row for row in rows if row[level]["level"] == level]
        if not of_level:
            continue
        times, memories, steps = (
            sorted(abs(error(row, level, quantity)) for row in of_level)
            for quantity in ("time_s", "memory_bytes", "step_s")
        )
        hits = [
            row[level]["time_s"]["low"] <= row["actual"]["time_s"] <= row[level]["time_s"]["high"]
            for row in of_level
        ]
        result[level] = {
            "num_settings": len(of_level),
            "time_median_error": round(statistics.median(times), 4),
            "time_90th_percentile_error": round(times[min(len(times) - 1, int(0.9 * len(times)))], 4),
            "step_median_error": round(statistics.median(steps), 4),
            "memory_median_error": round(statistics.median(memories), 4),
            "memory_largest_error": round(memories[-1], 4),
            "time_within_range": round(statistics.mean(hits), 3),
        }
    return result


def error(row: Mapping[str, Any], level: str, quantity: str) -> float:
    """How far a forecast was off, as a share of what happened."""
    expected = row[level][quantity]
    middle = expected["middle"] if isinstance(expected, Mapping) else expected
    return float(middle / row["actual"][quantity] - 1.0)


def write(rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the results, with the machine and the date."""
    from openbook.runs.machine import describe_machine, package_versions

    content = {
        "command": "python -m bench.forecast",
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "versions": package_versions(),
        "summary": summary(rows),
        "rows": list(rows),
    }
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _kept(forecast: Mapping[str, Any]) -> dict[str, Any]:
    names = ("level", "time_s", "memory_bytes", "step_s", "phases", "from_profile")
    return {name: forecast[name] for name in names}


if __name__ == "__main__":
    main()
