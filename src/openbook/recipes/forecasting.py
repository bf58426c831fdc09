"""forecasting (chapter 10): what a measured value will be some time ahead, from the rows before."""

# B = batch, T = rows, W = window, C = columns, K = channels, N = windows

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from openbook.errors import DataError, UsageError
from openbook.recipes.look import LineLook
from openbook.recipes.recipe import Finished, setting
from openbook.recipes.supervised import HeldOut, SupervisedRecipe
from openbook.supervised.examples import WindowExamples
from openbook.supervised.goals import Goal, Regression
from openbook.supervised.task import Splits

if TYPE_CHECKING:
    from openbook.data.series_reading import TimeSeries
    from openbook.data.time_split import WindowStarts
    from openbook.forecasting.workload import Workload
    from openbook.lenses.forecast_errors import ForecastErrors
    from openbook.lenses.lens import Finding
    from openbook.runs import Run
    from openbook.training.fit import FitResult
    from openbook.training.reporter import Reporter

MODELS = ("naive", "dense", "conv1d", "lstm", "gru", "bidirectional")
_RECURRENT = ("lstm", "gru", "bidirectional")
# (units, windows in a step, highest learning rate)
_PACE: Mapping[str, tuple[int, int, float]] = {
    "naive": (1, 256, 1e-3),
    "dense": (16, 128, 1e-3),
    "conv1d": (16, 128, 2e-3),
    "lstm": (32, 128, 2e-3),
    "gru": (32, 128, 4e-3),
    "bidirectional": (16, 128, 2e-3),
}
_RECURRENT_DROPOUT = 0.25
_DROPOUT = 0.5
_YEAR_S = 365 * 86_400
_NUM_LABEL_POINTS = 24


@dataclasses.dataclass(frozen=True, kw_only=True)
class Forecasting(SupervisedRecipe):
    """Train a network that forecasts a measured value, such as the temperature of tomorrow."""

    name: ClassVar[str] = "forecasting"
    title: ClassVar[str] = "Forecasting a time series"
    chapter: ClassVar[int] = 10
    learns: ClassVar[str] = "how a recurrent network carries what it has seen, and what a forecast must beat"
    default_budget: ClassVar[str] = "60s"
    split_by: ClassVar[tuple[str, ...]] = ("held_out_share", "window", "horizon")

    data: str = setting(
        "weather", "weather, jena, or a table of your own with a column of times: CSV, JSON, Parquet"
    )
    model: str = setting("gru", f"{', '.join(MODELS[:-1])} or {MODELS[-1]}")
    target: str | None = setting(None, "column to forecast; guessed when left out")
    time_column: str | None = setting(
        None, "column of the times, or several joined with +, such as date+time; guessed when left out"
    )
    series_column: str | None = setting(
        None, "column that says which of several series a row belongs to; guessed when left out"
    )
    window: int = setting(120, "rows that a forecast looks back on")
    horizon: int = setting(24, "rows from the last one of the window to the moment that is forecast")
    held_out_share: float = setting(
        0.25, "share of the time, at its end, that is never trained on; as much before it chooses the weights"
    )
    hidden_units: int | None = setting(None, "units of a layer, or filters of a convolution")
    recurrent_dropout: float | None = setting(
        None, "share of a recurrent layer's state that is left out in training"
    )
    dropout: float | None = setting(None, "share of the values before the last layer left out in training")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model not in MODELS:
            raise UsageError(f"--model must be {', '.join(MODELS[:-1])} or {MODELS[-1]}, not {self.model!r}")
        for name in ("window", "horizon", "hidden_units"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"--{name.replace('_', '-')} must be 1 or more, not {value}")
        for name in ("dropout", "recurrent_dropout"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value < 1.0:
                raise UsageError(
                    f"--{name.replace('_', '-')} must be 0 (none) or more and below 1, not {value}"
                )
        if self.recurrent_dropout and self.model not in _RECURRENT:
            raise UsageError(
                f"--recurrent-dropout is for {', '.join(_RECURRENT)}; {self.model} has no state. Leave it out"
            )

    def load_data(self, reporter: Reporter) -> TimeSeries:
        from openbook.data.series import load_series

        return load_series(
            self.data,
            window=self.window,
            horizon=self.horizon,
            target=self.target,
            time_column=self.time_column,
            series_column=self.series_column,
            progress=reporter.message,
        )

    def resolve(self, data: TimeSeries) -> Forecasting:
        units, batch_size, learning_rate = _PACE[self.model]
        num_windows = len(self._starts(data).train_N)
        return dataclasses.replace(
            self,
            target=data.target,
            hidden_units=self.hidden_units or units,
            batch_size=self.batch_size or max(1, min(batch_size, num_windows // 4)),
            learning_rate=self.learning_rate or learning_rate,
            recurrent_dropout=_RECURRENT_DROPOUT
            if self.recurrent_dropout is None and self.model in _RECURRENT
            else self.recurrent_dropout or 0.0,
            dropout=_DROPOUT if self.dropout is None else self.dropout,
        )

    def _starts(self, data: TimeSeries) -> WindowStarts:
        from openbook.data.time_split import split_in_time

        return split_in_time(
            data, window=self.window, horizon=self.horizon, held_out_share=self.held_out_share
        )

    def split(self, data: TimeSeries) -> Splits:
        from openbook.supervised.series_channels import channels_of

        starts = self._starts(data)
        facts = self._facts(data, starts)
        series_TK = channels_of(data.values_TC, data.stamps_T, data.is_filled_T, facts)
        targets_T = (data.values_TC[:, data.columns.index(data.target)] - facts["target_mean"]) / facts[
            "target_scale"
        ]

        def examples(starts_N: np.ndarray) -> WindowExamples:
            told_N = starts_N + self.window + self.horizon - 1
            return WindowExamples(
                series_TC=series_TK,
                starts_N=starts_N,
                length=self.window,
                targets_N=targets_T[told_N].astype(np.float32),
            )

        train, validation, test = map(examples, (starts.train_N, starts.validation_N, starts.test_N))
        return Splits(train=train, validation=validation, test=test, goal=self.goal(facts), facts=facts)

    def _facts(self, data: TimeSeries, starts: WindowStarts) -> dict[str, Any]:
        """Everything fitted, to the training part alone; the naive line is chosen on the validation part."""
        from openbook.supervised.series_channels import channel_names, is_angle, naive_lines

        position = data.columns.index(data.target)
        is_training_T = data.stamps_T < starts.borders[0]
        training_TC = data.values_TC[is_training_T].astype(np.float64)
        mean_C, scale_C = training_TC.mean(axis=0), training_TC.std(axis=0)
        scale_C = np.where(scale_C > 1e-6 * (1 + np.abs(mean_C)), scale_C, 1.0)
        target_T = data.values_TC[:, position].astype(np.float64)

        def last_and_told(starts_N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return starts_N + self.window - 1, starts_N + self.window + self.horizon - 1

        lines = naive_lines(self.horizon, self.window, data.step.season)
        last_N, told_N = last_and_told(starts.validation_N)
        chosen = min(
            lines, key=lambda line: np.abs(target_T[last_N - line.rows_back] - target_T[told_N]).mean()
        )
        last_N, told_N = last_and_told(starts.train_N)
        change_scale = float((target_T[told_N] - target_T[last_N - chosen.rows_back]).std())
        last_N, told_N = last_and_told(starts.test_N)
        errors = {
            line.words: float(np.abs(target_T[told_N] - target_T[last_N - line.rows_back]).mean())
            for line in lines
        }
        cycles = ["time of day"] if not data.step.months and data.step.seconds < 86_400 else []
        # Of a time of year that it has never seen, a network would say anything.
        if starts.borders[0] - starts.first_stamp > 1.02e6 * _YEAR_S:
            cycles.append("time of year")
        facts: dict[str, Any] = {
            "value_columns": list(data.columns),
            "target": data.target,
            "unit": data.unit,
            "time_columns": list(data.time_columns),
            "series_column": data.series_column,
            "series": list(data.names),
            "step": dataclasses.asdict(data.step),
            "window": self.window,
            "horizon": self.horizon,
            "ahead": data.step.duration(self.horizon),
            "mean": mean_C.tolist(),
            "scale": scale_C.tolist(),
            "target_mean": float(mean_C[position]),
            "target_scale": float(scale_C[position]),
            "angles": [
                name
                for index, name in enumerate(data.columns)
                if name != data.target and is_angle(name, data.values_TC[:, index])
            ],
            "cycles": cycles,
            "has_filled": bool(data.is_filled_T[is_training_T].any()),
            "naive": dataclasses.asdict(chosen),
            "naive_mae": errors[chosen.words],
            "naive_errors": errors,
            "change_scale": change_scale / float(scale_C[position]),
            # Where neighbouring values are unlike each other, a change is harder to tell than the value.
            "predicts_change": bool(0.0 < change_scale < 1.1 * scale_C[position]),
            "grids": [[start, stop, int(data.stamps_T[start])] for start, stop in data.bounds],
            "borders": [str(np.datetime64(each, "us").astype("datetime64[s]")) for each in starts.borders],
        }
        return {"columns": channel_names(facts), **facts}

    def build_model(self, facts: Mapping[str, Any]) -> Any:
        import keras

        rows = keras.Input((int(facts["window"]), len(facts["columns"])), name="rows")
        if self.model == "naive":
            return keras.Model(rows, _naive_value(rows, facts), name="forecasting")
        hidden = keras.layers.Dropout(self.dropout, name="dropout")(self._hidden(rows))
        if not facts["predicts_change"]:
            return keras.Model(rows, keras.layers.Dense(1, name="forecast")(hidden), name="forecasting")
        # Beginning at zero, training begins at the naive forecast.
        change = keras.layers.Dense(1, kernel_initializer="zeros", name="change")(hidden)
        change = keras.layers.Rescaling(float(facts["change_scale"]), name="scaled_change")(change)
        forecast = keras.layers.Add(name="forecast")([_naive_value(rows, facts), change])
        return keras.Model(rows, forecast, name="forecasting")

    def _hidden(self, rows: Any) -> Any:
        import keras

        units = self.hidden_units
        if self.model == "dense":
            flat = keras.layers.Flatten(name="all_rows")(rows)
            return keras.layers.Dense(units, activation="relu", name="hidden")(flat)
        if self.model == "conv1d":
            hidden = rows
            for number in (1, 2, 3):
                size = min(5, int(hidden.shape[1]))
                hidden = keras.layers.Conv1D(
                    units, size, padding="same", activation="relu", name=f"convolution_{number}"
                )(hidden)
                if hidden.shape[1] >= 4:
                    hidden = keras.layers.MaxPooling1D(2, name=f"pooling_{number}")(hidden)
            return keras.layers.Flatten(name="features")(hidden)
        if self.model == "lstm":
            return keras.layers.LSTM(units, recurrent_dropout=self.recurrent_dropout, name="lstm")(rows)
        if self.model == "gru":
            lower = keras.layers.GRU(
                units, recurrent_dropout=self.recurrent_dropout, return_sequences=True, name="gru_1"
            )(rows)
            return keras.layers.GRU(units, recurrent_dropout=self.recurrent_dropout, name="gru_2")(lower)
        layer = keras.layers.LSTM(units, recurrent_dropout=self.recurrent_dropout, name="lstm")
        return keras.layers.Bidirectional(layer, name="both_directions")(rows)

    def fit(self, model: Any, splits: Splits, run: Run, reporter: Reporter) -> FitResult:
        if self.model != "naive":
            return super().fit(model, splits, run, reporter)
        from openbook.training.fit import FitResult
        from openbook.training.state import TrainingState

        reporter.message("The naive forecast has no weights, so there is nothing to train.")
        score = self._task(model, splits).evaluate(
            TrainingState(trainable=[], non_trainable=[], optimizer=[])
        )
        return FitResult(steps=0, train_s=0.0, kept="last", kept_step=0, score=score, step_s=None, phases={})

    def workload(self, data: TimeSeries, *, scale: float = 1.0) -> Workload:
        if self.model == "naive":
            raise UsageError(
                "the naive forecast has nothing to train, so it takes no time; choose another --model"
            )
        return super().workload(data, scale=scale)

    def finish(self, model: Any, splits: Splits, run: Run, reporter: Reporter) -> Finished:
        finished = super().finish(model, splits, run, reporter)
        naive_mae = splits.facts["naive_mae"]
        score = {
            **finished.score,
            "naive_mae": naive_mae,
            "below_naive": 1.0 - finished.score["mae"] / naive_mae if naive_mae else 0.0,
        }
        return Finished(score=score, samples=[*finished.samples, *self._gates(model, splits, run)])

    def samples(self, held_out: HeldOut) -> list[str]:
        from openbook.lenses.forecast_errors import draw_forecast

        errors = self._errors(held_out)
        draw_forecast(errors, held_out.run.samples_folder / "forecast.png")
        return [errors.text()]

    def findings(self, facts: Mapping[str, Any]) -> Mapping[str, Callable[[HeldOut], Finding]]:
        return {"forecast-errors": self._errors}

    def _errors(self, held_out: HeldOut) -> ForecastErrors:
        from openbook.lenses.forecast_errors import errors_of

        splits, outputs, targets = held_out.splits, held_out.outputs, held_out.targets
        assert isinstance(splits.test, WindowExamples)
        facts = splits.facts
        scale, mean = facts["target_scale"], facts["target_mean"]
        windows = splits.test
        told_N = windows.starts_N + windows.length + facts["horizon"] - 1
        last_N = windows.starts_N + windows.length - 1 - facts["naive"]["rows_back"]
        channel = facts["columns"].index(facts["target"])
        return errors_of(
            observed_N=targets * scale + mean,
            forecast_N=outputs[:, 0] * scale + mean,
            naive_N=windows.series_TC[last_N, channel] * scale + mean,
            stamps_N=self._stamps_of(facts, told_N),
            series_N=np.searchsorted([stop for _, stop, _ in facts["grids"]], told_N, side="right"),
            name=facts["target"],
            unit=facts["unit"],
            ahead=facts["ahead"],
            naive_words=facts["naive"]["words"],
        )

    def _gates(self, model: Any, splits: Splits, run: Run) -> list[str]:
        """What the gates of the first recurrent layer did in the last window of the test."""
        if self.model not in _RECURRENT:
            return []
        from openbook.lenses.gates import draw_gates, gates_in

        facts = splits.facts
        inputs, _ = splits.test.batch(np.array([len(splits.test) - 1]))
        gates = gates_in(model, inputs[0])
        signal_T = inputs[0][:, facts["columns"].index(facts["target"])] * facts["target_scale"]
        draw_gates(
            gates,
            run.samples_folder / "gates.png",
            signal_T=signal_T + facts["target_mean"],
            label=f"{facts['target']} in one window",
        )
        return [gates.text()]

    @staticmethod
    def _stamps_of(facts: Mapping[str, Any], rows_N: np.ndarray) -> np.ndarray:
        from openbook.data.time_grid import Step

        step = Step(**facts["step"])
        stamps_N = np.zeros(len(rows_N), np.int64)
        for start, stop, first in facts["grids"]:
            inside = (rows_N >= start) & (rows_N < stop)
            stamps_N[inside] = step.stamps(first, stop - start)[rows_N[inside] - start]
        return stamps_N

    def smaller(self) -> Iterator[Forecasting]:
        assert self.batch_size and self.hidden_units
        if self.model == "gru":
            yield dataclasses.replace(self, model="lstm")
        for divisor in (2, 4):
            if self.hidden_units >= divisor:
                yield dataclasses.replace(self, hidden_units=self.hidden_units // divisor)
        if self.window >= 2:
            yield dataclasses.replace(self, window=self.window // 2)
        if self.batch_size >= 2:
            yield dataclasses.replace(self, batch_size=self.batch_size // 2)

    @classmethod
    def goal(cls, facts: Mapping[str, Any]) -> Goal:
        return Regression(scale=facts["target_scale"], unit=facts["unit"])

    @classmethod
    def read_input(cls, facts: Mapping[str, Any], settings: Mapping[str, Any], given: str) -> np.ndarray:
        window = int(facts["window"])
        path = Path(given).expanduser()
        if not path.is_file():
            raise UsageError(
                f"expected the path of a table with the last {window} rows or more, with the columns "
                f"{', '.join(facts['value_columns'])}; there is no file {given!r}"
            )
        return _window_of(facts, path, given)[0]

    @classmethod
    def typed_look(cls, facts: Mapping[str, Any]) -> LineLook:
        columns = ", ".join((*facts["time_columns"], *facts["value_columns"]))

        def read(text: str) -> tuple[np.ndarray, list[str], Sequence[str]]:
            with tempfile.TemporaryDirectory(prefix="openbook-lines-") as folder:
                path = Path(folder) / "lines.csv"
                path.write_text(text, encoding="utf-8")
                window_1TK, times = _window_of(facts, path, "your lines")
            return window_1TK, [f"The rows from {times[0]} to {times[-1]}."], times

        return LineLook(
            read=read,
            fields=(),
            text="",
            hint=f"the last {facts['window']} rows or more with commas, in the first line the names: {columns}",
        )

    @classmethod
    def answer_of(cls, facts: Mapping[str, Any], output: np.ndarray) -> dict[str, Any]:
        value = float(output[0]) * facts["target_scale"] + facts["target_mean"]
        return {
            "answer": f"{facts['target']} {facts['ahead']} after the last row: {_in_unit(value, facts)}",
            "value": value,
            "unit": facts["unit"],
        }

    @classmethod
    def target_text(cls, facts: Mapping[str, Any], target: Any) -> str:
        return _in_unit(float(target) * facts["target_scale"] + facts["target_mean"], facts)

    @classmethod
    def describe_example(cls, facts: Mapping[str, Any], inputs: Any) -> str:
        from openbook.runs.readable import sparkline

        values_W = inputs[:, facts["columns"].index(facts["target"])] * facts["target_scale"]
        values_W = values_W + facts["target_mean"]
        points = values_W[np.linspace(0, len(values_W) - 1, _NUM_LABEL_POINTS).astype(int)]
        return f"{sparkline([float(point) for point in points])} last {_in_unit(float(values_W[-1]), facts)}"


def _window_of(facts: Mapping[str, Any], path: Path, shown: str) -> tuple[np.ndarray, list[str]]:
    """The last window of a table as the model's input, a batch of 1, and the times of its rows."""
    from openbook.data.display import harmless
    from openbook.data.series import MAX_BYTES, series_of_frame
    from openbook.data.series_table import read_series_table
    from openbook.data.time_grid import Step
    from openbook.supervised.series_channels import channels_of

    window = int(facts["window"])
    frame, _ = read_series_table(path, harmless(shown), max_bytes=MAX_BYTES)
    series = series_of_frame(
        frame,
        harmless(shown),
        columns=facts["value_columns"],
        target=facts["target"],
        time_columns=facts["time_columns"],
        series_column=facts["series_column"],
        window=window,
    )
    if len(series.names) > 1:
        raise DataError(
            f"{shown}: holds {len(series.names)} series ({', '.join(map(harmless, series.names[:6]))}), and a "
            f"forecast is for one. Give the rows of one of them"
        )
    if dataclasses.asdict(series.step) != dict(facts["step"]):
        raise DataError(
            f"{shown}: has a row every {series.step.text}, the model was trained on one every "
            f"{Step(**facts['step']).text}. Give rows at that distance"
        )
    if not series.is_usable_T[-window:].all():
        raise DataError(
            f"{shown}: the last {window} rows hold a gap that is too long to be filled in. Give whole rows"
        )
    stamps_T = series.stamps_T[-window:]
    channels_TK = channels_of(series.values_TC[-window:], stamps_T, series.is_filled_T[-window:], facts)
    times = [
        str(np.datetime64(int(stamp), "us").astype("datetime64[m]")).replace("T", " ") for stamp in stamps_T
    ]
    return channels_TK[None], times


def _naive_value(rows: Any, facts: Mapping[str, Any]) -> Any:
    """The naive forecast, picked out of the window: (B, 1)."""
    import keras

    window, channel = int(facts["window"]), facts["columns"].index(facts["target"])
    rows_back = int(facts["naive"]["rows_back"])
    row = keras.layers.Cropping1D((window - 1 - rows_back, rows_back), name="naive_row")(rows)
    turned = keras.layers.Permute((2, 1), name="naive_channels")(row)
    value = keras.layers.Cropping1D((channel, len(facts["columns"]) - channel - 1), name="naive_channel")(
        turned
    )
    return keras.layers.Flatten(name="naive")(value)


def _in_unit(value: float, facts: Mapping[str, Any]) -> str:
    digits = max(0, min(6, 2 - int(np.floor(np.log10(max(1e-9, facts["target_scale"]))))))
    return f"{value:,.{digits}f}{' ' + facts['unit'] if facts['unit'] else ''}"
