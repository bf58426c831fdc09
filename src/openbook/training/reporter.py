"""What a person sees while something long goes on: a live display, plain lines, or nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TextIO

from openbook.runs.readable import readable_duration, scores_text

_PLAIN_INTERVAL_S = 10.0


class Report(Protocol):
    """The report on some data, as any data kind makes it.

    Attributes:
        examples: a few of the documents, each in one line.
    """

    examples: Sequence[str]

    def rows(self) -> list[tuple[str, str]]:
        """Its lines as (label, text)."""

    def render(self, console: Any) -> None:
        """Print it on a Rich console."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Progress:
    """One training step as shown.

    Attributes:
        fraction: share of the run that is done, 0…1.
        remaining_s: None while the pace is unknown.
        speed: units (`unit`, such as "tokens") per second over the last steps, or None.
    """

    step: int
    num_steps: int | None
    fraction: float
    loss: float
    elapsed_s: float
    remaining_s: float | None
    speed: float | None
    unit: str


class Reporter:
    """Shows nothing; the other reporters answer the same calls."""

    def message(self, text: str) -> None:
        """Say what is being done now."""

    def data(self, report: Report) -> None:
        """What was found in the data."""

    def forecast(self, lines: Sequence[str]) -> None:
        """What the run will take."""

    def step(self, progress: Progress) -> None:
        """A training step is done."""

    def evaluated(self, step: int, score: Mapping[str, float]) -> None:
        """The held-out data was scored."""

    def sample(self, text: str) -> None:
        """The model in training made something."""

    def close(self) -> None:
        """Take down whatever is displayed; what follows is printed plainly."""


class PlainReporter(Reporter):
    """A line every ten seconds, for logs, pipes and notebooks."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._shown_at = -_PLAIN_INTERVAL_S

    def message(self, text: str) -> None:
        self._print(text)

    def data(self, report: Report) -> None:
        for label, text in report.rows():
            self._print(f"{label}: {text}")
        for number, example in enumerate(report.examples, start=1):
            self._print(f"Example {number}: {example}")

    def forecast(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._print(line)

    def step(self, progress: Progress) -> None:
        if time.monotonic() - self._shown_at < _PLAIN_INTERVAL_S and progress.fraction < 1.0:
            return
        self._shown_at = time.monotonic()
        self._print(f"step {_step_text(progress)}  {_pace_text(progress)}")

    def evaluated(self, step: int, score: Mapping[str, float]) -> None:
        self._print(f"held-out after step {step}: {scores_text(score)}")

    def sample(self, text: str) -> None:
        self._print(f"sample: {text}")

    def _print(self, text: str) -> None:
        # A closed pipe (`| head`) must not end a training run.
        with contextlib.suppress(BrokenPipeError):
            print(text, file=self._stream, flush=True)


class LiveReporter(Reporter):
    """A progress bar that stays in place, with lines above it, for terminals."""

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.console import Console

        self._console = Console(file=stream or sys.stderr, highlight=False)
        self._bar: Any = None
        self._task: Any = None

    def message(self, text: str) -> None:
        self._console.print(text, markup=False, style="dim")

    def data(self, report: Report) -> None:
        report.render(self._console)

    def forecast(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._console.print(line, markup=False)

    def step(self, progress: Progress) -> None:
        if self._bar is None:
            self._start()
        self._bar.update(
            self._task,
            completed=progress.fraction,
            step=_step_text(progress),
            pace=_pace_text(progress),
        )

    def evaluated(self, step: int, score: Mapping[str, float]) -> None:
        self._console.print(f"held-out after step {step}: {scores_text(score)}", markup=False)

    def sample(self, text: str) -> None:
        self._console.print(text, markup=False, style="italic cyan")

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start(self) -> None:
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            BarColumn(bar_width=None if self._console.width < 100 else 30),
            TaskProgressColumn(),
            TextColumn("{task.fields[step]}", markup=False),
            TextColumn("{task.fields[pace]}", markup=False, style="dim"),
            console=self._console,
            refresh_per_second=4,
        )
        self._task = self._bar.add_task("", total=1.0, step="", pace="")
        self._bar.start()


def choose_reporter(*, quiet: bool = False, stream: TextIO | None = None) -> Reporter:
    """The display that fits where the output goes."""
    stream = stream or sys.stderr
    if quiet:
        return Reporter()
    return LiveReporter(stream) if stream.isatty() else PlainReporter(stream)


def _step_text(progress: Progress) -> str:
    total = f"/{progress.num_steps}" if progress.num_steps else ""
    return f"{progress.step}{total}  loss {progress.loss:.3f}"


def _pace_text(progress: Progress) -> str:
    speed = f"{progress.speed:,.0f} {progress.unit}/s" if progress.speed else ""
    left = f"{readable_duration(progress.remaining_s)} left" if progress.remaining_s is not None else ""
    return "  ".join(part for part in (speed, left) if part)
