"""Everything a person wants to know about one run, as text and as JSON."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbook.runs.curves import held_out_curve, held_out_names, training_curve
from openbook.runs.names import run_argument, shown_path
from openbook.runs.readable import (
    SCORES,
    plain_text,
    readable_duration,
    readable_score,
    readable_size,
    readable_value,
    score_label,
    sparkline,
)
from openbook.runs.run import Run
from openbook.runs.strict_json import read_content
from openbook.runs.summary import RunSummary, summarize

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["RunDetails"]

_MAX_SAMPLES = 2
_MAX_SAMPLE_LENGTH = 600
_TEXT_ENDINGS = (".txt", ".md")


@dataclass(frozen=True, kw_only=True)
class RunDetails:
    """One run in full.

    Attributes:
        changed: settings that are not the default, each as (value, default).
        unchanged: the other settings.
        metrics: all rows that were measured.
        samples: text of each file in `samples/`, the one to show first ahead; None if it is no text file.
    """

    run: Run
    summary: RunSummary
    changed: dict[str, tuple[Any, Any]]
    unchanged: dict[str, Any]
    metrics: list[dict[str, Any]]
    samples: dict[str, str | None]

    @classmethod
    def of(cls, run: Run) -> "RunDetails":
        """Reads the run.

        Raises:
            RunError: its metrics or a sample cannot be read.
        """
        settings, defaults = run.section("settings"), run.section("settings_default")
        changed = {
            name: (value, defaults.get(name))
            for name, value in settings.items()
            if name not in defaults or value != defaults[name]
        }
        # A setting without a default is often one that openbook chose; what surely was changed goes first.
        by_certainty = sorted(changed.items(), key=lambda item: item[1][1] is None)
        return cls(
            run=run,
            summary=summarize(run),
            changed=dict(by_certainty),
            unchanged={name: value for name, value in settings.items() if name not in changed},
            metrics=run.metrics(),
            samples=_read_samples(run.samples_folder),
        )

    def to_dict(self) -> dict[str, object]:
        """All of run.json, the rows that were measured and the samples; `run` is the path."""
        return {
            **self.run.record,
            **self.summary.to_dict(),
            "data": dict(self.run.section("data")),
            "machine": dict(self.run.section("machine")),
            "changed_settings": {
                name: {"value": value, "default": default} for name, (value, default) in self.changed.items()
            },
            "metrics": self.metrics,
            "samples": self.samples,
        }

    def render(self, console: "Console") -> None:
        """Prints the run; it holds together down to 40 columns."""
        from rich.padding import Padding
        from rich.text import Text

        console.print(Text.assemble((self.run.name, "bold"), f"  {self.summary.status}"))
        ascii_only = not console.encoding.lower().startswith("utf")
        sections = {
            "Changed settings": [
                (name, f"{readable_value(value)}  (default: {_default_text(default)})")
                for name, (value, default) in self.changed.items()
            ],
            "Run": self._facts(),
            "Score on held-out data": self._scores(),
            "Curves": self._curves(width=max(10, min(40, console.width - 40)), ascii_only=ascii_only),
            "Other settings": [(name, readable_value(value)) for name, value in self.unchanged.items()],
        }
        for title, rows in sections.items():
            if rows:
                console.print(Text(f"\n{title}", "bold"))
                console.print(Padding(_grid(rows), (0, 0, 0, 2), expand=False))
        self._render_samples(console)
        console.print(Text("\nHow to go on", "bold"))
        for command, purpose in self._next_steps():
            # Left for the terminal to wrap, so that a line can be copied whole; a shell skips the comment.
            console.print(Text.assemble(f"  {command}", (f"  # {purpose}", "dim")), soft_wrap=True)

    def _facts(self) -> list[tuple[str, str]]:
        summary, record = self.summary, self.run.record
        sessions = record.get("sessions")
        num_sessions = len(sessions) if isinstance(sessions, list) else 0
        versions = self.run.section("versions")
        trained = f"{_count(summary.steps)} steps in {readable_duration(summary.train_s)}"
        if num_sessions > 1:
            trained += f", in {num_sessions} sessions"
        rows = [
            ("recipe", plain_text(summary.recipe)),
            ("data", self._data_text()),
            ("begun", f"{summary.created.astimezone():%Y-%m-%d %H:%M}"),
            ("trained", trained if summary.steps is not None else ""),
            ("all in all", readable_duration(summary.total_s) if summary.total_s is not None else ""),
            ("seed", readable_value(summary.seed) if summary.seed is not None else ""),
            ("weights kept", readable_value(record.get("kept")) if record.get("kept") else ""),
            ("machine", summary.machine),
            (
                "versions",
                ", ".join(f"{name} {plain_text(str(versions[name]))}" for name in versions if versions[name]),
            ),
            ("folder", shown_path(self.run.path)),
        ]
        return [(label, text) for label, text in rows if text]

    def _data_text(self) -> str:
        data = self.run.section("data")
        report, origin = data.get("report"), data.get("origin")
        parts = [self.summary.data]
        if isinstance(origin, Mapping):
            known = [origin.get(key) for key in ("kind", "name", "version")]
            parts.append(plain_text(" ".join(str(value) for value in known if value)))
        if isinstance(report, Mapping):
            parts.append(
                f"{_count(report.get('num_documents'))} documents" if "num_documents" in report else ""
            )
            num_bytes = report.get("num_bytes")
            parts.append(readable_size(num_bytes) if isinstance(num_bytes, int) else "")
        fingerprint = data.get("fingerprint")
        parts.append(f"fingerprint {plain_text(str(fingerprint))[:12]}" if fingerprint else "")
        return ", ".join(part for part in parts if part)

    def _scores(self) -> list[tuple[str, str]]:
        return [
            (score_label(name), readable_score(name, value)) for name, value in self.summary.score.items()
        ]

    def _curves(self, *, width: int, ascii_only: bool) -> list[tuple[str, str]]:
        names = held_out_names(self.metrics)
        headline = next((name for name in SCORES if name in names), names[0] if names else None)
        curves = [("training loss", "loss", training_curve(self.metrics))]
        if headline is not None:
            curves.append(
                (f"held-out {score_label(headline)}", headline, held_out_curve(self.metrics, headline))
            )
        return [
            (
                label,
                f"{readable_score(name, curve.values[0])} "
                f"{sparkline(curve.values, width=width, ascii_only=ascii_only)} "
                f"{readable_score(name, curve.values[-1])}",
            )
            for label, name, curve in curves
            if curve
        ]

    def _render_samples(self, console: "Console") -> None:
        from rich.padding import Padding
        from rich.text import Text

        texts = [(name, text) for name, text in self.samples.items() if text is not None]
        for name, text in texts[:_MAX_SAMPLES]:
            shown = plain_text(text.strip())
            if len(shown) > _MAX_SAMPLE_LENGTH:
                shown = shown[:_MAX_SAMPLE_LENGTH].rstrip() + " …"
            console.print(Text(f"\nSample {plain_text(name)}", "bold"))
            console.print(Padding(Text(shown), (0, 0, 0, 2), expand=False))
        num_more = len(self.samples) - min(len(texts), _MAX_SAMPLES)
        if num_more:
            folder = shown_path(self.run.samples_folder)
            console.print(Text(f"\n{num_more} more in {folder}", "dim"))

    def _next_steps(self) -> list[tuple[str, str]]:
        argument = run_argument(self.run.path)
        if self.summary.status == "training":
            return [(f"openbook runs show {argument}", "it is being trained now; look again")]
        rows = [(f"openbook try {argument}", "try it")]
        if self.summary.status == "complete":
            return [
                *rows,
                (f"openbook compare {argument} OTHER-RUN", "put it beside another"),
                (f"openbook export {argument} --to keras", "take the model along"),
            ]
        resume = [(f"openbook train --resume {argument}", "train on to its end")]
        return resume + (rows if self.run.model_path.exists() else [])


def _grid(rows: list[tuple[str, str]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=24, overflow="fold")
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(Text(plain_text(label), "dim"), Text(text))
    return table


def _default_text(default: object) -> str:
    return "chosen by openbook" if default is None else readable_value(default)


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else readable_value(value)


def _read_samples(folder: Path) -> dict[str, str | None]:
    if not folder.is_dir():
        return {}
    names = [path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    return {name: _sample_text(folder / name) for name in sorted(names, key=_sample_order)}


def _sample_order(name: str) -> tuple[object, ...]:
    # The final samples first, then the latest: step-1200 before step-300.
    found = re.search(r"\d+", name)
    number = int(found.group()) if found else 0
    is_final = name.startswith("final")
    return (not is_final, number if is_final else -number, name)


def _sample_text(path: Path) -> str | None:
    if path.suffix.lower() not in _TEXT_ENDINGS:
        return None
    return read_content(path).decode(errors="replace")
