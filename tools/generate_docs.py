"""Writes the tables of README.md and docs/ from the code, between their marks.

    python tools/generate_docs.py            write them anew
    python tools/generate_docs.py --check    only say whether they are what the code says

A table stands between two marks, `<!-- table: NAME -->` and `<!-- end of table -->`. The names are those of
`TABLES`; `settings RECIPE` is there for each recipe.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

BLOCK = re.compile(r"(<!-- table: (?P<name>[^>]+?) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def main(arguments: Sequence[str]) -> int:
    """Write or check all tables; return the exit code."""
    parser = argparse.ArgumentParser(prog="generate_docs", description="Write the tables of the docs.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where a table is out of date"
    )
    is_check = parser.parse_args(arguments).check
    stale = []
    for path in documents():
        text = path.read_text("utf-8")
        fresh = with_fresh_tables(text, TABLES)
        if fresh != text:
            stale.append(path.relative_to(ROOT).as_posix())
            if not is_check:
                path.write_text(fresh, "utf-8", newline="\n")
    if is_check and stale:
        print(f"Not what the code says any more: {', '.join(stale)}. Write them anew with: make docs")
        return 1
    print("All tables are what the code says." if not stale else f"Written: {', '.join(stale)}")
    return 0


def documents() -> list[Path]:
    """The files that may hold tables."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def with_fresh_tables(text: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """The text with every marked table made anew.

    Raises:
        SystemExit: a mark names a table that there is none of.
    """

    def fresh(block: re.Match[str]) -> str:
        name = block["name"]
        if name.startswith("settings "):
            return f"{block[1]}{settings_table(name.removeprefix('settings '))}{block[3]}"
        if name not in tables:
            sys.exit(f"there is no table {name!r}; there are: {', '.join(tables)} and settings RECIPE")
        return f"{block[1]}{tables[name]()}{block[3]}"

    return BLOCK.sub(fresh, text)


def recipes_table() -> str:
    """The shelf."""
    from openbook.recipes import all_recipes

    rows = [(f"`{name}`", str(recipe.chapter), recipe.learns) for name, recipe in all_recipes().items()]
    return markdown_table(("recipe", "chapter", "what one learns"), rows)


def settings_table(recipe_name: str) -> str:
    """The settings of a recipe, each a flag of `openbook train RECIPE`."""
    from openbook.recipes import recipe_class

    rows = []
    for field in dataclasses.fields(recipe_class(recipe_name)):
        default = written_default(field.default)
        rows.append((f"`--{field.name.replace('_', '-')}`", default, str(field.metadata["help"])))
    return markdown_table(("setting", "default", "meaning"), rows)


def written_default(default: object) -> str:
    """A setting's default as the table shows it."""
    if default is None:
        return "–"
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"`{default}`"


def commands_table() -> str:
    """The commands with the first sentence of their help."""
    from typer.main import get_command

    from openbook.cli.app import app

    rows = [("`openbook`", "Show the shelf: the recipes there are, and the last run of each")]
    for name, command in sorted(vars(get_command(app))["commands"].items()):
        rows += command_rows(command, f"openbook {name}")
    return markdown_table(("command", "what it does"), rows)


def command_rows(command: Any, path: str) -> Iterator[tuple[str, str]]:
    """A command of Typer and all below it."""
    words = [path]
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            word = (parameter.metavar or parameter.name.upper()).strip("[]")
            words.append(word if parameter.required else f"[{word}]")
    yield f"`{' '.join(words)}`", first_sentence(command.help)
    for name, below in getattr(command, "commands", {}).items():
        yield from command_rows(below, f"{path} {name}")


def data_table() -> str:
    """The data sets known by name."""
    from openbook.data.catalog import TEXT_CATALOG

    rows = [(f"`{name}`", entry.title or "", entry.licence or "") for name, entry in TEXT_CATALOG.items()]
    return markdown_table(("name", "what it is", "licence, as stated"), rows)


def errors_table() -> str:
    """The errors a user can meet, with the exit code of the command."""
    from openbook import errors

    rows = []
    for name in errors.__all__:
        error = getattr(errors, name)
        meaning = first_sentence(error.__doc__)
        rows.append((f"`{name}`", f"`{error.__base__.__name__}`", str(error.exit_code), meaning))
    return markdown_table(("error", "is a", "exit code", "meaning"), rows)


def make_table() -> str:
    """What `make` can do."""
    rules = re.findall(r"^([a-z-]+):.*?## (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    return markdown_table(("command", "what it does"), [(f"`make {name}`", text) for name, text in rules])


def primitives_table() -> str:
    """The table of primitives: each with its family and the test that has its cases."""
    from openbook.program.primitives.table import primitives

    base = "src/openbook/program/primitives"
    rows = []
    for name, entry in sorted(primitives().items()):
        family = entry.explain.__module__.rpartition(".")[2]
        test = f"{family}_test.py"
        tests = [test] if (ROOT / base / test).exists() else []
        links = ", ".join(f"[{each}](../{base}/{each})" for each in [*tests, "contract_test.py"])
        rows.append((f"`{name}`", f"[{family}](../{base}/{family}.py)", links))
    return markdown_table(("primitive", "family", "tests"), rows)


def forecast_errors_table() -> str:
    """How far forecasts were off, by level; from the benchmark's results."""
    results = forecast_results()
    rows = []
    for level in ("profile", "probe"):
        found = results["summary"].get(level)
        if found:
            rows.append(
                (
                    f"`{level}`",
                    str(found["num_settings"]),
                    f"{found['time_median_error']:.0%}",
                    f"{found['time_90th_percentile_error']:.0%}",
                    f"{found['memory_median_error']:.0%}",
                    f"{found['memory_largest_error']:.0%}",
                    f"{found['time_within_range']:.0%}",
                )
            )
    headings = (
        "level",
        "settings",
        "time: median",
        "90th percentile",
        "memory: median",
        "largest",
        "time in its range",
    )
    return markdown_table(headings, rows)


def forecast_runs_table() -> str:
    """Forecast against actual, for each setting of the benchmark."""
    from openbook.runs.readable import readable_duration, readable_size

    rows = []
    for row in forecast_results()["rows"]:
        flags = " ".join(
            f"{name.replace('_', '-')} {value}"
            for name, value in row["settings"].items()
            if name not in ("recipe", "data")
        )
        data = row["settings"]["data"]
        probe, actual = row["probe"], row["actual"]
        rows.append(
            (
                f"`{row['settings']['recipe']}` {flags}; {f'{data} MB of reviews' if data.isdigit() else data}",
                readable_duration(row["profile"]["time_s"]["middle"]),
                f"{readable_duration(probe['time_s']['middle'])} "
                f"({readable_duration(probe['time_s']['low'])} – {readable_duration(probe['time_s']['high'])})",
                readable_duration(actual["time_s"]),
                f"{probe['time_s']['middle'] / actual['time_s'] - 1:+.0%}",
                readable_size(round(probe["memory_bytes"]["middle"])),
                readable_size(actual["memory_bytes"]),
            )
        )
    headings = ("setting", "`profile`", "`probe`, with its range", "was", "error", "memory forecast", "was")
    return markdown_table(headings, rows)


def known_times_table() -> str:
    """The book's text generator on machines known by published figures alone."""
    results = json.loads((ROOT / "bench" / "results" / "known_times.json").read_text("utf-8"))
    rows = []
    for row in results["rows"]:
        low, high = row["published_epoch_s"]
        published = f"{low:.0f} s" if low == high else f"{low:.0f} – {high:.0f} s"
        rows.append((row["machine"], f"{row['forecast_epoch_s']:.0f} s", published, f"{row['error']:+.0%}"))
    return markdown_table(("machine", "forecast of an epoch", "published", "error"), rows)


def quick_layers_table() -> str:
    """Keras' convolutions on a CPU, and the stand-in's."""
    results = json.loads((ROOT / "bench" / "results" / "quick_layers.json").read_text("utf-8"))
    rows = []
    for row in results["rows"]:
        key = row["key"]
        inputs = f"{key['side']} × {key['side']} × {key['channels']}"
        kernel = f"{key['kernel']} × {key['kernel']}, stride {key['stride']}"
        found = [row[name] for name in ("forward", "with gradients")]
        cells = [f"{each['keras_ms']:.0f} → {each['quick_ms']:.0f} ({each['ratio']:.1f}×)" for each in found]
        rows.append((key["layer"], inputs, kernel, *cells))
    return markdown_table(("layer", "inputs", "kernel", "forward", "gradients"), rows)


def devices_table() -> str:
    """Published figures of common devices."""
    from openbook.forecasting.profiles import reference_devices

    rows = [
        (
            f"`{name}`",
            figures["label"],
            f"{figures['float32_tflops']:g}",
            f"{figures['bfloat16_tflops']:g}",
            f"{figures['memory_gb_per_s']:g}",
            f"{figures['memory_gb']:g}",
            figures["source"],
        )
        for name, figures in reference_devices().items()
    ]
    headings = ("name", "machine", "float32 TFLOP/s", "16 bit TFLOP/s", "GB/s", "GB", "figures from")
    return markdown_table(headings, rows)


def forecast_results() -> dict[str, Any]:
    """What `python -m bench.forecast` wrote."""
    results: dict[str, Any] = json.loads((ROOT / "bench" / "results" / "forecast.json").read_text("utf-8"))
    return results


TABLES: Mapping[str, Callable[[], str]] = {
    "commands": commands_table,
    "data sets": data_table,
    "errors": errors_table,
    "forecast devices": devices_table,
    "forecast errors": forecast_errors_table,
    "forecast known times": known_times_table,
    "forecast runs": forecast_runs_table,
    "make": make_table,
    "primitives": primitives_table,
    "quick layers": quick_layers_table,
    "recipes": recipes_table,
}


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, with a line end at its end."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def first_sentence(text: str) -> str:
    """The text up to the first full stop that ends a sentence, on one line."""
    paragraph = " ".join(text.strip().split("\n\n")[0].split())
    return re.split(r"(?<=[.!?]) ", paragraph)[0].removesuffix(".")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
