"""The shares as a picture file: bars of one year, lines over the years, or dots for groups side by side.

Years and groups differ in colour and in marker, so the picture also reads without colour; a thin line through a
point is its 95 % interval.
"""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbook.errors import UsageError
from openbook.runs.atomic import atomic_replace
from openbook.survey.analysis import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["check_picture_path", "draw_shares", "leading_answers"]

# Okabe and Ito (2008): told apart with every common kind of colour blindness. Yellow is too pale on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_FORMATS = (".png", ".svg", ".pdf")
_MAX_BARS, _MAX_LINES, _MAX_GROUPS = 25, 7, 6
_LABEL_WIDTH = 34


def check_picture_path(path: Path) -> None:
    """Raise UsageError unless the name ends as a picture does."""
    if path.suffix.lower() not in _FORMATS or path.is_dir():
        raise UsageError(f"{path}: expected a file that ends with {', '.join(_FORMATS)}")


def draw_shares(results: Sequence[Result], path: Path) -> None:
    """Draw the results of one question.

    Raises:
        UsageError: the name is not that of a picture.
        RunError: the file cannot be written.
    """
    check_picture_path(path)
    with warnings.catch_warnings():
        # An answer may hold signs that the font lacks; a box in their place is good enough.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        figure = _figure(results)
        with atomic_replace(path) as temporary:
            figure.savefig(temporary, format=path.suffix.lower().removeprefix("."), dpi=150)


def leading_answers(results: Sequence[Result], number: int) -> list[str]:
    """The answers with the largest shares, in the order of the newest year; "None" and "Other" last."""
    largest: dict[str, float] = {}
    for result in results:
        for each in result.shares:
            largest[each.answer] = max(largest.get(each.answer, 0.0), each.share)
    by_size = sorted(largest, key=lambda answer: (answer in ("None", "Other"), -largest[answer]))
    chosen = set(by_size[:number])
    newest = max(results, key=lambda result: result.year)
    return sorted(
        chosen, key=lambda answer: (answer in ("None", "Other"), -newest.share_of(answer).share, answer)
    )


def _figure(results: Sequence[Result]) -> Figure:
    from matplotlib.figure import Figure

    years = sorted({result.year for result in results})
    has_groups = any(result.group for result in results)
    if has_groups:
        answers = leading_answers(results, 12)
        groups = list(dict.fromkeys(result.group for result in results))[:_MAX_GROUPS]
        figure = Figure(
            figsize=(3.6 + 4.2 * len(years), 2.4 + 0.3 * len(groups) + 0.48 * len(answers)),
            layout="constrained",
        )
        panels = figure.subplots(1, len(years), sharex=True, sharey=True, squeeze=False)[0]
        for axes, year in zip(panels, years, strict=True):
            _draw_groups(axes, {each.group: each for each in results if each.year == year}, groups, answers)
            if len(years) > 1:
                axes.set_title(str(year), loc="left", fontsize=11)
        highest = max(
            each.interval[1] for result in results if result.group in groups for each in result.shares
        )
        panels[0].set_xlim(0, min(1.0, highest) + 0.02)
    elif len(years) > 1:
        figure = Figure(figsize=(9.5, 5.6), layout="constrained")
        _draw_trend(figure.subplots(), results)
    else:
        num_bars = min(_MAX_BARS, len(results[0].shares))
        figure = Figure(figsize=(8.5, 1.7 + 0.3 * num_bars), layout="constrained")
        _draw_bars(figure.subplots(), results[0], num_bars)
    width = round(11.5 * figure.get_figwidth())
    lines = [_title(results), *textwrap.wrap(_who(results), width=width)]
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=10.5)
    return figure


def _draw_bars(axes: Axes, result: Result, num_bars: int) -> None:
    shares = result.shares[:num_bars]
    places = range(len(shares))
    axes.barh(places, [each.share for each in shares], color=_COLOURS[0], height=0.72)
    axes.errorbar(
        [each.share for each in shares],
        places,
        xerr=_errors(result, [each.answer for each in shares]),
        fmt="none",
        ecolor="#222222",
        elinewidth=1.1,
    )
    for place, each in enumerate(shares):
        axes.text(each.interval[1] + 0.008, place, f"{100 * each.share:.1f} %", va="center", fontsize=9)
    _answer_axis(axes, [each.answer for each in shares])
    axes.set_xlim(0, min(1.12, max(each.interval[1] for each in shares) + 0.1))


def _draw_groups(
    axes: Axes, results: Mapping[str, Result], groups: Sequence[str], answers: Sequence[str]
) -> None:
    """The groups side by side within the row of an answer, each with the same colour and marker in every year."""
    for index, group in enumerate(groups):
        result = results.get(group)
        if result is None:
            continue
        places = [row + 0.12 * (index - (len(groups) - 1) / 2) for row in range(len(answers))]
        axes.errorbar(
            [result.share_of(answer).share for answer in answers],
            places,
            xerr=_errors(result, answers),
            label=f"{result.group} (n = {result.num_answered:,})",
            **_style(index, linestyle="none"),
        )
    for row in range(1, len(answers)):
        axes.axhline(row - 0.5, color="#dddddd", linewidth=0.7)
    _answer_axis(axes, answers)
    # Below the panel, where no point can lie under it.
    legend = axes.legend(
        frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(0.0, -0.02 - 0.35 / len(answers))
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _draw_trend(axes: Axes, results: Sequence[Result]) -> None:
    from matplotlib.ticker import PercentFormatter

    answers = [
        answer for answer in leading_answers(results, _MAX_LINES + 2) if answer not in ("None", "Other")
    ]
    ends: list[tuple[float, str, str]] = []
    for index, answer in enumerate(answers[:_MAX_LINES]):
        offered = [result for result in results if result.offers(answer)]
        shares = [result.share_of(answer) for result in offered]
        below = [each.share - each.interval[0] for each in shares]
        above = [each.interval[1] - each.share for each in shares]
        axes.errorbar(
            [result.year for result in offered],
            [each.share for each in shares],
            yerr=[below, above],
            **_style(index, linestyle="-"),
        )
        ends.append((shares[-1].share if shares else 0.0, answer, _COLOURS[index % len(_COLOURS)]))
    years = sorted({result.year for result in results})
    _label_ends(axes, ends, x=years[-1] + 0.08)
    axes.set_xticks(years, [f"{year}\nn = {_number_of(results, year):,}" for year in years])
    axes.set_xlim(years[0] - 0.2, years[-1] + 0.28 * max(1.0, years[-1] - years[0]))
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    axes.grid(axis="y", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _label_ends(axes: Axes, ends: Sequence[tuple[float, str, str]], *, x: float) -> None:
    """Names at the ends of the lines, moved apart where they would cover each other."""
    highest = max((share for share, _, _ in ends), default=1.0)
    gap = 0.052 * max(highest, 0.01)
    place = float("inf")
    for share, answer, colour in sorted(ends, reverse=True):
        place = min(share, place - gap)
        text = axes.text(x, place, textwrap.shorten(answer, 30, placeholder=" …"), color=colour, va="center")
        text.set_parse_math(False)


def _number_of(results: Sequence[Result], year: int) -> int:
    return next(result.num_answered for result in results if result.year == year)


def _errors(result: Result, answers: Sequence[str]) -> list[list[float]]:
    """How far the interval reaches below and above each share."""
    shares = [result.share_of(answer) for answer in answers]
    return [
        [max(0.0, each.share - each.interval[0]) for each in shares],
        [max(0.0, each.interval[1] - each.share) for each in shares],
    ]


def _style(index: int, *, linestyle: str) -> dict[str, Any]:
    colour = _COLOURS[index % len(_COLOURS)]
    return {
        "color": colour,
        "ecolor": colour,
        "marker": _MARKERS[index % len(_MARKERS)],
        "markersize": 5.5,
        "linestyle": linestyle,
        "linewidth": 1.6,
        "elinewidth": 1.0,
    }


def _answer_axis(axes: Axes, answers: Sequence[str]) -> None:
    from matplotlib.ticker import PercentFormatter

    axes.set_yticks(range(len(answers)))
    labels = [
        textwrap.fill(textwrap.shorten(answer, 2 * _LABEL_WIDTH, placeholder=" …"), _LABEL_WIDTH)
        for answer in answers
    ]
    for text in axes.set_yticklabels(labels, fontsize=9):
        text.set_parse_math(False)
    axes.set_ylim(len(answers) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _title(results: Sequence[Result]) -> str:
    years = sorted({result.year for result in results})
    span = str(years[0]) if len(years) == 1 else f"{years[0]} – {years[-1]}"
    return f"{results[0].question.title}, Kaggle survey {span}"


def _who(results: Sequence[Result]) -> str:
    """Who is counted, in one sentence."""
    first = results[0]
    filters = ", ".join(step.filter.removeprefix("--") for step in first.selected.steps)
    if any(result.group for result in results):
        number = ""
    elif len(results) == 1:
        number = f" {first.num_answered:,} of {first.num_respondents:,} answered."
    else:
        number = ""
    counted = f" Counted: {filters}." if filters else ""
    return f"Share of those who answered, with 95 % intervals.{number}{counted}"
