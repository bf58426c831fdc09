"""How far forecasts were off: by the hour or the month, beside the naive line; in words and as a picture file."""

# N = forecasts, in the order of the test examples

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from openbook.lenses.lens import Lens, made_by_recipe, needs_no_model

__all__ = ["LENS", "ForecastErrors", "draw_forecast", "errors_of"]

_DAY_US = 86_400 * 1_000_000
_NUM_SHOWN = 24 * 14


@dataclasses.dataclass(frozen=True, kw_only=True)
class ForecastErrors:
    """Forecasts with what came, in the target's unit, sorted by time.

    Attributes:
        stamps_N: int64 microseconds since 1970 of the moments that were forecast.
        series_N: number of the series that each belongs to.
        segments: name of a part of the test, number of forecasts, mean absolute error, that of the naive line.
    """

    name: str
    unit: str
    ahead: str
    naive_words: str
    stamps_N: np.ndarray
    series_N: np.ndarray
    observed_N: np.ndarray
    forecast_N: np.ndarray
    naive_N: np.ndarray
    segments: tuple[tuple[str, int, float, float], ...]

    @property
    def mae(self) -> float:
        return float(np.abs(self.forecast_N - self.observed_N).mean())

    @property
    def naive_mae(self) -> float:
        return float(np.abs(self.naive_N - self.observed_N).mean())

    def text(self) -> str:
        """The errors in lines."""
        unit = f" {self.unit}" if self.unit else ""
        change = 1 - self.mae / self.naive_mae if self.naive_mae else 0.0
        lines = [
            f"{self.name} {self.ahead} ahead is off by {self.mae:.3g}{unit} on average, "
            f"{_against(change)} the naive line's {self.naive_mae:.3g}",
            f"the naive line is {self.naive_words}",
            "",
            f"{'':<12} {'forecasts':>9} {'error':>8} {'naive':>8}",
        ]
        lines += [
            f"{name:<12} {number:>9,} {error:>8.3g} {naive:>8.3g}"
            for name, number, error, naive in self.segments
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain lists."""
        return {
            "mae": self.mae,
            "naive_mae": self.naive_mae,
            "segments": [
                {"part": name, "forecasts": number, "error": error, "naive": naive}
                for name, number, error, naive in self.segments
            ],
        }


def errors_of(
    *,
    observed_N: np.ndarray,
    forecast_N: np.ndarray,
    naive_N: np.ndarray,
    stamps_N: np.ndarray,
    series_N: np.ndarray,
    name: str,
    unit: str,
    ahead: str,
    naive_words: str,
) -> ForecastErrors:
    """Errors as a whole, by the time of day in steps of three hours, and by month (or year)."""
    order = np.argsort(stamps_N, kind="stable")
    observed_N, forecast_N, naive_N, stamps_N = (
        each[order] for each in (observed_N, forecast_N, naive_N, stamps_N)
    )
    errors_N, naive_errors_N = np.abs(forecast_N - observed_N), np.abs(naive_N - observed_N)
    times_N = stamps_N.astype("datetime64[us]")
    labels: list[np.ndarray] = []
    if len(np.unique(stamps_N % _DAY_US)) > 1:
        first_N = (stamps_N % _DAY_US) // (_DAY_US // 8) * 3
        labels.append(np.array([f"{hour:02d} to {hour + 3:02d} h" for hour in first_N]))
    months_N = times_N.astype("datetime64[M]").astype(str)
    labels.append(months_N if len(set(months_N)) <= 24 else times_N.astype("datetime64[Y]").astype(str))
    segments = []
    for labels_N in labels:
        for label in np.unique(labels_N):
            inside = labels_N == label
            segments.append(
                (
                    str(label),
                    int(inside.sum()),
                    float(errors_N[inside].mean()),
                    float(naive_errors_N[inside].mean()),
                )
            )
    return ForecastErrors(
        name=name,
        unit=unit,
        ahead=ahead,
        naive_words=naive_words,
        stamps_N=stamps_N,
        series_N=series_N[order],
        observed_N=observed_N,
        forecast_N=forecast_N,
        naive_N=naive_N,
        segments=tuple(segments),
    )


def _against(change: float) -> str:
    if abs(change) < 5e-4:
        return "as much as"
    return f"{abs(change):.1%} {'below' if change > 0 else 'ABOVE'}"


def draw_forecast(errors: ForecastErrors, path: Path) -> None:
    """A picture file: what came, the forecast and the naive line over the last two weeks or so of the test."""
    from matplotlib.figure import Figure

    shown = np.flatnonzero(errors.series_N == errors.series_N[0])[-_NUM_SHOWN:]
    # A line over a gap would tell of values that nobody measured.
    distances = np.diff(errors.stamps_N[shown])
    is_gap = distances > 1.5 * np.median(distances) if len(distances) else distances > 0
    gaps = np.flatnonzero(is_gap) + 1
    times = np.insert(errors.stamps_N[shown], gaps, errors.stamps_N[shown][gaps])
    times = times.astype("datetime64[us]").astype("datetime64[s]")

    def broken(values_N: np.ndarray) -> np.ndarray:
        return np.insert(values_N[shown].astype(np.float64), gaps, np.nan)

    figure = Figure(figsize=(11, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot(times, broken(errors.observed_N), color="#000000", linewidth=1.6, label="what came")
    axes.plot(
        times,
        broken(errors.forecast_N),
        color="#0072B2",
        linewidth=1.4,
        linestyle=(0, (6, 2)),
        label=f"forecast {errors.ahead} ahead",
    )
    axes.plot(
        times,
        broken(errors.naive_N),
        color="#D55E00",
        linewidth=1.0,
        linestyle=(0, (2, 1.5)),
        label="naive line",
    )
    label = axes.set_ylabel("")
    label.set_parse_math(False)
    label.set_text(f"{errors.name} ({errors.unit})" if errors.unit else errors.name)
    axes.set_title(
        f"off by {errors.mae:.3g} on average, the naive line by {errors.naive_mae:.3g}",
        loc="left",
        fontsize=12,
    )
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.autofmt_xdate()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


LENS = Lens(
    name="forecast-errors",
    title="Forecast and what came",
    says="forecasts of the held-out time beside what came and the naive line, and their errors by hour and month",
    source="Chollet (2021), section 10.2",
    takes=frozenset({"finding"}),
    fits=needs_no_model,
    read=made_by_recipe,
    draw=draw_forecast,
)
