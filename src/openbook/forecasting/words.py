"""A forecast in the few lines that a person reads before training begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from openbook.forecasting.estimate import Estimate
from openbook.forecasting.prediction import Elsewhere, Forecast
from openbook.runs.readable import readable_duration, readable_size

PHASE_NAMES = {
    "start": "starting Python",
    "data": "loading the data",
    "forecast": "this forecast",
    "prepare": "preparing the data",
    "build": "building the model",
    "compile": "compiling",
    "steps": "training steps",
    "held_out": "held-out scores",
    "checkpoints": "checkpoints",
    "finish": "final score and samples",
}


class OfferedSettings(Protocol):
    """Settings that fit, with their own forecast."""

    @property
    def flags(self) -> str: ...

    @property
    def forecast(self) -> Forecast: ...


class WholeForecast(Protocol):
    """A forecast with what belongs to it."""

    @property
    def forecast(self) -> Forecast: ...

    @property
    def offers(self) -> Sequence[Any]: ...

    @property
    def elsewhere(self) -> Sequence[Elsewhere]: ...


def forecast_lines(whole: WholeForecast) -> list[str]:
    """The forecast as plain lines, the most important first."""
    forecast = whole.forecast
    lines = [
        f"Forecast: {duration_text(forecast.time_s)} altogether, {memory_text(forecast.memory_bytes)} of memory "
        f"(of {readable_size(forecast.available_bytes)} that are free), "
        f"{readable_size(forecast.disk_bytes)} on disk",
        f"  {training_text(forecast)}",
        f"  most of the time: {dominant_text(forecast)}",
        f"  from {forecast.basis}",
    ]
    lines += [f"  note: {note}" for note in forecast.notes]
    return lines + misfit_lines(whole) + [f"  {elsewhere_text(each)}" for each in whole.elsewhere]


def recorded_lines(recorded: Mapping[str, Any]) -> list[str]:
    """What was forecast when a run was begun, for going on with it; nothing where none was made."""
    try:
        low, middle, high = (
            readable_duration(recorded["time_s"][name]) for name in ("low", "middle", "high")
        )
    except (KeyError, TypeError):
        return []
    return [f"Forecast when this run was begun: {middle} ({low} – {high}) altogether"]


def misfit_lines(whole: WholeForecast) -> list[str]:
    """What does not fit, and what would; nothing where all fits."""
    forecast = whole.forecast
    lines = []
    if not forecast.fits_memory:
        lines.append(
            f"It will not fit in memory: {readable_size(round(forecast.memory_bytes.middle))} are needed, "
            f"{readable_size(forecast.available_bytes)} are free."
        )
    if not forecast.fits_budget:
        lines.append(
            f"It takes longer than the budget: {readable_duration(forecast.train_s.middle)} of training, "
            f"the budget is {readable_duration(forecast.budget_s)}."
        )
    if lines and whole.offers:
        lines.append("What fits:")
        lines += [f"  {offer_text(offer)}" for offer in whole.offers]
    elif lines:
        lines.append(
            "No smaller settings were found that fit; give less data, or a smaller model by its own numbers."
        )
    return lines


def offer_text(offer: OfferedSettings) -> str:
    """One offer: what to type, and its own forecast."""
    return (
        f"{offer.flags}{_instead(offer.flags)}  →  {duration_text(offer.forecast.time_s)}, "
        f"{memory_text(offer.forecast.memory_bytes)}, {offer.forecast.num_steps:,} steps"
    )


def training_text(forecast: Forecast) -> str:
    """How much is trained, and how fast."""
    return (
        f"{forecast.num_steps:,} steps, {_epochs_text(forecast.epochs)}; an epoch takes "
        f"{duration_text(forecast.epoch_s)}; {forecast.units_per_s:,.0f} {forecast.unit}/s; "
        f"{forecast.num_parameters:,} parameters"
    )


def dominant_text(forecast: Forecast) -> str:
    """The phases that take the most, with their shares."""
    whole = sum(forecast.phases.values())
    largest = sorted(forecast.phases.items(), key=lambda item: -item[1])[:3]
    return ", ".join(f"{PHASE_NAMES[phase]} {duration_s / whole:.0%}" for phase, duration_s in largest)


def duration_text(estimate: Estimate) -> str:
    """A time with its 10–90 % range."""
    return (
        f"{readable_duration(estimate.middle)} "
        f"({readable_duration(estimate.low)} – {readable_duration(estimate.high)})"
    )


def memory_text(estimate: Estimate) -> str:
    """A size with its 10–90 % range."""
    low, middle, high = (
        readable_size(round(value)) for value in (estimate.low, estimate.middle, estimate.high)
    )
    return f"{middle} ({low} – {high})"


def elsewhere_text(each: Elsewhere) -> str:
    """The same training on another machine."""
    known = "" if each.is_measured else ", from published figures, not measured"
    fits = "" if each.fits_memory else "; it would not fit in its memory"
    return f"on {each.machine}: training {duration_text(each.train_s)}{known}{fits}"


def _instead(flags: str) -> str:
    return " (in place of another length)" if flags.startswith("--steps ") else ""


def _epochs_text(epochs: float) -> str:
    return f"{epochs:.3g} epochs" if epochs != 1.0 else "1 epoch"
