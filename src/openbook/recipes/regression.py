"""regression (chapter 4): a number for each row of a table, by a weighted sum or by a dense network."""

# N = rows, F = features, K = folds

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from openbook.errors import UsageError
from openbook.forecasting.workload import Workload
from openbook.recipes.look import LineLook
from openbook.recipes.recipe import Finished, setting
from openbook.recipes.supervised import HeldOut, SupervisedRecipe, answer_text
from openbook.supervised.examples import ArrayExamples
from openbook.supervised.folds import LoopTraining
from openbook.supervised.goals import Goal
from openbook.supervised.goals import Regression as RegressionGoal
from openbook.supervised.task import Splits, predict
from openbook.training.schedule import Schedule
from openbook.training.seeding import first_weights

if TYPE_CHECKING:
    import polars

    from openbook.data.records import Records
    from openbook.lenses.folds import FoldErrors
    from openbook.lenses.lens import Finding
    from openbook.lenses.residuals import Residuals
    from openbook.runs import Run
    from openbook.training.reporter import Reporter

MODELS = ("linear", "dense")
# (fewer rows than, examples in a step)
_BATCH_SIZES = ((2_000, 16), (20_000, 64), (200_000, 256))
_LARGEST_BATCH = 1024
_LEARNING_RATE = 5e-3
# Below so many rows a single held-out part says little, and K-fold costs little.
_FEW_ROWS = 1000
_NUM_FOLDS = 4
# With a budget the kept model may go through few rows a thousand times; a fold needs no more than this.
_MAX_FOLD_EPOCHS = 200
# Of the forecast: a step of a fold as passes of the model, and a step's seconds where only a budget is known.
_PASSES_PER_FOLD_STEP = 6
_ASSUMED_STEP_S = 1e-3
_NUM_FOLD_PROGRAMS = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Regression(SupervisedRecipe):
    """Train a model that says a number for each row of a table, such as the price of a house."""

    name: ClassVar[str] = "regression"
    title: ClassVar[str] = "A number from a table"
    chapter: ClassVar[int] = 4
    learns: ClassVar[str] = "how columns of a table become one number, and how K-fold says what it is worth"
    default_budget: ClassVar[str] = "20s"

    data: str = setting(
        "boston",
        "boston, california, or your own: CSV, TSV, JSON, JSON lines or Parquet, a folder or an archive of such",
    )
    target: str | None = setting(None, "column of the numbers to learn; guessed when left out")
    drop: str = setting("", "columns to leave out, separated by commas")
    model: str = setting("dense", f"{' or '.join(MODELS)}: a weighted sum, or layers of them")
    hidden_units: int = setting(64, "units of each hidden layer of the dense network")
    num_layers: int = setting(2, "hidden layers of the dense network")
    dropout: float = setting(0.1, "share of the hidden values that is left out in training")
    num_folds: int | None = setting(
        None, f"models for a K-fold estimate, 0 for none; {_NUM_FOLDS} for fewer than {_FEW_ROWS:,} rows"
    )
    weight_decay: float = setting(0.3, "AdamW's decay of the matrices")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model not in MODELS:
            raise UsageError(f"--model must be {' or '.join(MODELS)}, not {self.model!r}")
        for name in ("hidden_units", "num_layers"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name.replace('_', '-')} must be 1 or more, not {getattr(self, name)}")
        if not 0.0 <= self.dropout < 1.0:
            raise UsageError(f"--dropout must be 0 or more and below 1, not {self.dropout}")
        if self.num_folds is not None and (self.num_folds < 0 or self.num_folds == 1):
            raise UsageError(f"--num-folds must be 2 or more, or 0 for none, not {self.num_folds}")

    def load_data(self, reporter: Reporter) -> Records:
        from openbook.data.records import load_records

        drop = [name.strip() for name in self.drop.split(",") if name.strip()]
        return load_records(self.data, target=self.target, drop=drop, progress=reporter.message)

    def resolve(self, data: Records) -> Regression:
        num_rows, num_different = len(data.targets_N), data.num_different
        sizes = [size for limit, size in _BATCH_SIZES if num_rows < limit]
        num_folds = self.num_folds
        if num_folds is None:
            num_folds = min(_NUM_FOLDS, num_different) if num_rows < _FEW_ROWS else 0
        if num_folds > num_different:
            raise UsageError(
                f"--num-folds {num_folds} needs as many different rows, and there are {num_different:,}"
            )
        return dataclasses.replace(
            self,
            batch_size=self.batch_size or max(1, min((sizes or [_LARGEST_BATCH])[0], num_rows // 4)),
            learning_rate=self.learning_rate or _LEARNING_RATE,
            num_folds=num_folds,
        )

    def split(self, data: Records) -> Splits:
        from openbook.data.split import split_by_content

        return self._splits_of(data, *split_by_content(data.hashes, held_out_share=self.held_out_share))

    def _splits_of(
        self, data: Records, train: np.ndarray, validation: np.ndarray, test: np.ndarray
    ) -> Splits:
        """Features and standardised targets; both are fitted on the training rows alone."""
        from openbook.data.record_features import apply, fit_features

        targets_N = data.targets_N[train]
        # Rows with one target alone can be all that a small table has to train on; then nothing is divided.
        mean, scale = float(targets_N.mean()), float(targets_N.std()) or 1.0
        left_out = data.report.numbers["left_out"]
        assert isinstance(left_out, dict)
        facts = {
            **fit_features(data.frame[train], data.kinds),
            "target": data.target,
            "unit": data.unit,
            "mean": mean,
            "scale": scale,
            "median": float(np.median(targets_N)),
            "ignored": list(left_out),
        }
        features_NF = apply(facts, data.frame)
        standardised_N = ((data.targets_N - mean) / scale).astype(np.float32)
        examples = [
            ArrayExamples(inputs=features_NF[rows], targets=standardised_N[rows])
            for rows in (train, validation, test)
        ]
        return Splits(
            train=examples[0],
            validation=examples[1],
            test=examples[2],
            goal=self.goal(facts),
            facts=facts,
            source=data,
        )

    def build_model(self, facts: Mapping[str, Any]) -> Any:
        import keras

        row = keras.Input((len(facts["columns"]),), name="row")
        hidden = row
        if self.model == "dense":
            for number in range(1, self.num_layers + 1):
                layer = keras.layers.Dense(self.hidden_units, activation="relu", name=f"hidden_{number}")
                hidden = layer(hidden)
                if self.dropout:
                    hidden = keras.layers.Dropout(self.dropout, name=f"dropout_{number}")(hidden)
        return keras.Model(row, keras.layers.Dense(1, name="number")(hidden), name="regression")

    def workload(self, data: Records, *, scale: float = 1.0) -> Workload:
        work = super().workload(data, scale=scale)
        if not self.num_folds:
            return work
        assert self.batch_size
        length = self.length
        steps_per_epoch = max(
            1, len(data.targets_N) * (self.num_folds - 1) // self.num_folds // self.batch_size
        )
        if length.budget_s is not None:
            num_steps = min(_MAX_FOLD_EPOCHS * steps_per_epoch, round(length.budget_s / _ASSUMED_STEP_S))
        else:
            num_steps = length.steps or round((length.epochs or 0.0) * work.steps_per_epoch)
        final = dataclasses.replace(
            work.final,
            batches=work.final.batches + len(data.targets_N) // self.batch_size,
            passes=_PASSES_PER_FOLD_STEP * self.num_folds * num_steps,
            num_traced=work.final.num_traced + _NUM_FOLD_PROGRAMS,
            num_compiled=work.final.num_compiled + _NUM_FOLD_PROGRAMS,
        )
        return dataclasses.replace(work, final=final)

    def smaller(self) -> Iterator[Regression]:
        if self.model == "dense" and self.hidden_units >= 2:
            yield dataclasses.replace(self, hidden_units=self.hidden_units // 2)
        if self.num_folds:
            yield dataclasses.replace(self, num_folds=0)
        assert self.batch_size
        if self.batch_size >= 2:
            yield dataclasses.replace(self, batch_size=self.batch_size // 2)

    def finish(self, model: Any, splits: Splits, run: Run, reporter: Reporter) -> Finished:
        finished = super().finish(model, splits, run, reporter)
        if not self.num_folds:
            return finished
        from openbook.lenses.folds import draw_folds

        folds = self._folded(splits, run, reporter)
        draw_folds(folds, run.samples_folder / "folds.png")
        score = {
            "mae": folds.mae,
            "rmse": folds.rmse,
            "loss": (folds.rmse / splits.facts["scale"]) ** 2,
            "mae_between_folds": folds.spread,
            **{f"held_out_{name}": value for name, value in finished.score.items()},
        }
        return Finished(score=score, samples=[folds.text(), *finished.samples])

    def folds(self, data: Records) -> Iterator[Splits]:
        """One fold after another: trained on the rows of the others, scored on its own."""
        from openbook.data.row_hashes import fold_of_rows

        assert self.num_folds
        fold_N = fold_of_rows(data.hashes, self.num_folds)
        for fold in range(self.num_folds):
            test, train = np.flatnonzero(fold_N == fold), np.flatnonzero(fold_N != fold)
            yield self._splits_of(data, train, test, test)

    def _folded(self, splits: Splits, run: Run, reporter: Reporter) -> FoldErrors:
        from openbook.lenses.folds import FoldErrors

        errors = list(self._fold_errors(splits.source, run, reporter))
        return FoldErrors(errors=errors, unit=splits.facts["unit"])

    def _fold_errors(self, data: Records, run: Run, reporter: Reporter) -> Iterator[np.ndarray]:
        """Said − observed of the rows of each fold, by a model that was trained on the other folds."""
        from openbook.training.checkpoint import latest_step

        assert self.batch_size and self.learning_rate and self.num_folds
        training = LoopTraining(
            self.optimizer,
            batch_size=self.batch_size,
            schedule=Schedule(peak=self.learning_rate, shape=self.schedule),
        )
        for number, splits in enumerate(self.folds(data), start=1):
            num_steps = latest_step(run.checkpoints) or 1
            if self.length.budget_s is not None:
                num_steps = min(num_steps, _MAX_FOLD_EPOCHS * max(1, len(splits.train) // self.batch_size))
            reporter.message(f"Fold {number} of {self.num_folds}: {num_steps:,} steps …")
            with first_weights(self.seed + number):
                model = self.build_model(splits.facts)
            training.train(model, splits, num_steps=num_steps, seed=self.seed)
            said = predict(model, splits.test, batch_size=self.batch_size)[:, 0]
            _, observed = splits.test.batch(np.arange(len(splits.test)))
            yield _in_unit(splits.facts, said) - _in_unit(splits.facts, observed)

    def samples(self, held_out: HeldOut) -> list[str]:
        from openbook.lenses.residuals import draw_residuals

        residuals = self._residuals(held_out)
        draw_residuals(residuals, held_out.run.samples_folder / "predicted.png")
        return [residuals.text()]

    def findings(self, facts: Mapping[str, Any]) -> Mapping[str, Callable[[HeldOut], Finding]]:
        found: dict[str, Callable[[HeldOut], Finding]] = {"residuals": self._residuals}
        if self.num_folds:
            found["folds"] = lambda held_out: self._folded(held_out.splits, held_out.run, held_out.reporter)
        return found

    def _residuals(self, held_out: HeldOut) -> Residuals:
        from openbook.lenses.residuals import Residuals

        facts = held_out.splits.facts
        residuals = Residuals(
            predicted_N=_in_unit(facts, held_out.outputs[:, 0]),
            observed_N=_in_unit(facts, held_out.targets),
            target=facts["target"],
            unit=facts["unit"],
            guess=facts["median"],
        )
        inputs, _ = held_out.splits.test.batch(residuals.worst)
        descriptions = tuple(self.describe_example(facts, row) for row in inputs)
        return dataclasses.replace(residuals, descriptions=descriptions)

    @classmethod
    def goal(cls, facts: Mapping[str, Any]) -> Goal:
        return RegressionGoal(scale=facts["scale"], unit=facts["unit"])

    @classmethod
    def describe_example(cls, facts: Mapping[str, Any], inputs: Any) -> str:
        from openbook.data.record_features import row_text

        return row_text(facts, inputs)

    @classmethod
    def target_text(cls, facts: Mapping[str, Any], target: Any) -> str:
        return _number_text(facts, float(_in_unit(facts, target)))

    @classmethod
    def read_input(cls, facts: Mapping[str, Any], settings: Mapping[str, Any], given: str) -> np.ndarray:
        from openbook.data.record_features import apply

        return apply(facts, _row(facts, given)[0])

    @classmethod
    def typed_look(cls, facts: Mapping[str, Any]) -> LineLook:
        from openbook.data.record_features import apply, choices_of

        def read(text: str) -> tuple[np.ndarray, list[str], None]:
            row, notes = _typed_row(facts, text)
            return apply(facts, row), notes, None

        return LineLook(read=read, fields=choices_of(facts), text="", hint=_expected(facts))

    @classmethod
    def answer_of(cls, facts: Mapping[str, Any], output: np.ndarray) -> dict[str, Any]:
        value = float(_in_unit(facts, output[0]))
        return {
            "answer": _number_text(facts, value),
            "value": value,
            "unit": facts["unit"],
            "target": facts["target"],
        }

    @classmethod
    def answer(cls, run: Run, input_text: str, **options: Any) -> dict[str, Any]:
        answer = super().answer(run, input_text, **options)
        return {**answer, "notes": _row(cls.facts_of(run), input_text)[1]}

    @classmethod
    def use(cls, run: Run, input_text: str, **options: Any) -> Iterator[str]:
        answer = cls.answer(run, input_text, **options)
        unit = f" {answer['unit']}" if answer["unit"] else ""
        lines = [f"{answer['target']}: {answer_text(answer)}{unit}"]
        mae = run.section("score").get("mae")
        if mae is not None:
            lines.append(f"  usually off by {_number_text(cls.facts_of(run), float(mae))}{unit}")
        yield "\n".join([*lines, *(f"  {note}" for note in answer["notes"])])


def _in_unit(facts: Mapping[str, Any], standardised: Any) -> Any:
    return np.asarray(standardised, np.float64) * facts["scale"] + facts["mean"]


def _number_text(facts: Mapping[str, Any], value: float) -> str:
    from openbook.lenses.residuals import num_decimals

    return f"{value:.{num_decimals(facts['scale'])}f}"


def _row(facts: Mapping[str, Any], given: str) -> tuple[polars.DataFrame, list[str]]:
    """The row that a person gives: names with values, a JSON object, or a file with one row."""
    from openbook.data.record_features import row_of

    expected = f"expected {_expected(facts)}, or the path of a table with one row"
    text = given.strip()
    path = Path(text).expanduser()
    if text.startswith("{") or ("=" in text and not path.is_file()):
        return _typed_row(facts, text)
    try:
        is_file = path.is_file()
    except OSError:
        is_file = False
    if not text or not is_file:
        raise UsageError(
            f"{expected}; got {text!r}, and there is no such file" if text else f"{expected}; got nothing"
        )
    return row_of(facts, _row_of_file(path, expected))


def _expected(facts: Mapping[str, Any]) -> str:
    known = [field["name"] for field in facts["fields"]]
    second = f", {known[1]}=2" if len(known) > 1 else ""
    return f"values by name, such as “{known[0]}=1{second}”, or a JSON object"


def _typed_row(facts: Mapping[str, Any], text: str) -> tuple[polars.DataFrame, list[str]]:
    """The row of names with values, or of a JSON object; no file is read."""
    from openbook.data.record_features import row_of

    expected = f"expected {_expected(facts)}"
    text = text.strip()
    if text.startswith("{"):
        return row_of(facts, _json_object(text, expected))
    if "=" not in text:
        raise UsageError(f"{expected}; got {text[:80]!r}")
    # A comma ends a value only where a name follows, so that 6,5 stays one number.
    parts = re.split(r"(?:^|[,;\n])\s*([^=,;\n]+?)\s*=", text)
    if parts[0].strip():
        raise UsageError(f"{expected}; got {parts[0].strip()!r} before the first name")
    pairs = {
        name.strip(): value.strip().strip(",;") for name, value in zip(parts[1::2], parts[2::2], strict=True)
    }
    return row_of(facts, pairs)


def _json_object(text: str, expected: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{expected}; got JSON that cannot be read ({error})") from None
    values = {name: value for name, value in found.items() if not isinstance(value, list | dict)}
    if len(values) < len(found):
        raise UsageError(f"{expected}; got lists or objects where numbers and texts are expected")
    return values


def _row_of_file(path: Path, expected: str) -> dict[str, Any]:
    from openbook.data.record_tables import table_at

    table = table_at(path, max_bytes=1 << 30)
    if table.num_rows != 1:
        raise UsageError(f"{expected}; {path} has {table.num_rows:,} rows")
    return {name: next(iter(table.values(name, 1))) for name in table.names}
