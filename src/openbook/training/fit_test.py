"""The training loop on a small task: resume, deadline, NaN, the better of best and last, Ctrl-C."""

import os
import signal

import keras
import numpy as np
import pytest

from openbook.errors import Interrupted, RunError, TrainingError
from openbook.runs import Run
from openbook.training import checkpoint
from openbook.training.fit import FitSettings, fit
from openbook.training.length import Length
from openbook.training.reporter import Reporter
from openbook.training.schedule import Schedule
from openbook.training.seeding import seeded


class LineTask:
    """A small network that learns y = 3x - 1 from noisy points, with dropout to carry random state."""

    steps_per_epoch = 10
    score_key = "loss"
    unit = "points"
    units_per_step = 16

    def __init__(self, *, bad_step=None, scores=None, signal_step=None, clock=None, step_s=0.0):
        inputs = keras.Input((1,))
        hidden = keras.layers.Dense(8, activation="relu")(inputs)
        outputs = keras.layers.Dense(1)(keras.layers.Dropout(0.2)(hidden))
        self.model = keras.Model(inputs, outputs)
        self.bad_step = bad_step
        self.scores = scores
        self.signal_step = signal_step
        self.clock = clock
        self.step_s = step_s

    def loss(self, outputs, targets):
        return keras.ops.mean(keras.ops.square(outputs - targets))

    def batch_at(self, step):
        if self.clock is not None:
            self.clock.now_s += self.step_s
        if step == self.signal_step:
            os.kill(os.getpid(), signal.SIGINT)
        points = np.random.default_rng([7, step]).normal(size=(16, 1)).astype("float32")
        targets = 3 * points - 1
        return points, targets * (np.nan if step == self.bad_step else 1)

    def evaluate(self, state):
        if self.scores is not None:
            return {"loss": self.scores.pop(0)}
        points, targets = self.batch_at(10**6)
        outputs, _ = self.model.stateless_call(state.trainable, state.non_trainable, points)
        return {"loss": float(np.mean((np.asarray(outputs) - targets) ** 2))}

    def sample(self, state, step):
        return f"after {step}"


def train(run, *, reporter=None, interval_s=1e9, rate=0.01, task=None, **length):
    with seeded(0):
        task = task or LineTask()
    settings = FitSettings(
        optimizer=keras.optimizers.AdamW(rate),
        schedule=Schedule(peak=rate),
        length=Length(**length),
        checkpoint_interval_s=interval_s,
    )
    result = fit(task, settings, run=run, reporter=reporter or Reporter())
    return result, [np.asarray(variable.value) for variable in task.model.variables]


def seeded_task(**options):
    with seeded(0):
        return LineTask(**options)


@pytest.fixture
def run(tmp_path):
    return Run.create(recipe="line", record={}, parent=tmp_path)


@pytest.fixture
def other_run(tmp_path):
    return Run.create(recipe="line", record={}, parent=tmp_path)


def rows_without_time(run):
    timed = ("train_s", "points_per_s")
    return [{key: value for key, value in row.items() if key not in timed} for row in run.metrics()]


def test_loss_falls_and_the_last_weights_are_kept_when_they_are_best(run):
    result, _ = train(run, steps=300, rate=0.03, task=seeded_task(scores=[0.4, 0.3, 0.2, 0.1]))
    losses = [row["loss"] for row in run.metrics() if "loss" in row]
    assert losses[-1] < losses[0] / 3
    assert (result.kept, result.kept_step, result.steps) == ("last", 300, 300)
    assert [path.name for path in sorted(run.samples_folder.iterdir())] == [
        "step-150.txt",
        "step-225.txt",
        "step-75.txt",
    ]


def test_same_seed_gives_the_same_weights_and_curve(run, other_run):
    _, weights = train(run, steps=40)
    _, other_weights = train(other_run, steps=40)
    for one, other in zip(weights, other_weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert rows_without_time(run) == rows_without_time(other_run)


@pytest.mark.parametrize("interval_s", [0.0, 1e9])
def test_interrupted_run_resumes_with_the_same_weights_and_curve(run, other_run, interval_s):
    _, expected = train(run, steps=50)
    with pytest.raises(Interrupted, match=rf"openbook train --resume {other_run.name}"):
        train(other_run, steps=50, interval_s=interval_s, task=seeded_task(signal_step=21))
    result, resumed = train(other_run, steps=50, interval_s=interval_s)
    assert result.steps == 50
    for one, other in zip(expected, resumed, strict=True):
        np.testing.assert_array_equal(one, other)
    curve = [row for row in rows_without_time(other_run) if "loss" in row]
    assert curve == [row for row in rows_without_time(run) if "loss" in row]


def test_best_weights_are_kept_when_the_score_rises_again(run):
    task = seeded_task(scores=[0.9, 0.2, 0.5, 0.7])
    result, weights = train(run, steps=40, task=task)
    assert (result.kept, result.kept_step, result.score["loss"]) == ("best", 20, 0.2)
    [best_file] = run.checkpoints.glob("best-*")
    arrays, _ = checkpoint.read_arrays(best_file)
    np.testing.assert_array_equal(arrays["trainable"][0], weights[0])


class Clock:
    """Stands still but for the steps and scores of the task, so that a busy machine changes nothing."""

    now_s = 0.0

    def monotonic(self):
        return self.now_s


def test_budget_ends_on_time_with_a_schedule_near_zero(run, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("openbook.training.fit.time", clock)
    result, _ = train(run, task=seeded_task(clock=clock, step_s=0.01), budget_s=6.0)
    assert result.train_s == pytest.approx(6.0, rel=0.05)
    assert clock.now_s == pytest.approx(result.train_s, abs=0.02)  # and the last score, 0.01 s
    rates = [row["learning_rate"] for row in run.metrics() if "loss" in row]
    assert rates[-1] < 0.05 * max(rates)


class SlowFirst(LineTask):
    """Its first step takes as long as compiling does on a busy machine."""

    def batch_at(self, step):
        self.clock.now_s += 5.0 if step == 0 else 0.0
        return super().batch_at(step)


@pytest.mark.parametrize(
    ("budget_s", "num_scores", "is_told"), [(100.0, 4, False), (8.0, 1, False), (3.0, 1, True)]
)
def test_short_budget_leaves_out_the_scores_on_the_way(run, monkeypatch, budget_s, num_scores, is_told):
    clock = Clock()
    monkeypatch.setattr("openbook.training.fit.time", clock)
    said = []
    reporter = Reporter()
    reporter.message = said.append
    train(run, task=SlowFirst(clock=clock, step_s=0.5), reporter=reporter, budget_s=budget_s)
    assert sum("held_out" in row for row in run.metrics()) == num_scores
    assert any("The budget is spent" in text for text in said) == is_told


def test_nan_stops_at_its_step_and_keeps_the_last_good_weights(run, other_run):
    with pytest.raises(TrainingError, match="at step 13"):
        train(run, steps=40, task=seeded_task(bad_step=12))
    arrays, position = checkpoint.load_latest(run.checkpoints)
    assert all(np.isfinite(array).all() for array in arrays["trainable"])
    assert position.step in (13, 14)


def test_damaged_checkpoint_is_named_and_not_used(run):
    train(run, steps=10)
    path = run.checkpoints / "latest.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"latest\.safetensors.*changed"):
        train(run, steps=20)
    path.write_bytes(content[:100])
    with pytest.raises(RunError, match=r"latest\.safetensors"):
        train(run, steps=20)


def test_checkpoint_of_another_model_is_refused(run):
    train(run, steps=4)
    task = seeded_task()
    inputs = keras.Input((1,))
    task.model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    with pytest.raises(RunError, match="other shapes"):
        train(run, steps=8, task=task)


def test_full_disk_leaves_the_earlier_checkpoint_intact(run, monkeypatch):
    train(run, steps=10)
    before = (run.checkpoints / "latest.safetensors").read_bytes()

    def full_disk(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", full_disk)
    with pytest.raises(RunError, match="no space left"):
        train(run, steps=20, interval_s=0.0)
    assert (run.checkpoints / "latest.safetensors").read_bytes() == before


def test_reporter_hears_of_every_step(run):
    class Listening(Reporter):
        def __init__(self):
            self.steps, self.scores, self.samples = [], [], []

        def step(self, progress):
            self.steps.append((progress.step, progress.fraction))

        def evaluated(self, step, score):
            self.scores.append(step)

        def sample(self, text):
            self.samples.append(text)

    reporter = Listening()
    train(run, steps=20, reporter=reporter)
    assert [step for step, _ in reporter.steps] == list(range(1, 21))
    assert reporter.steps[-1] == (20, 1.0)
    assert reporter.scores == [5, 10, 15, 20]
    assert reporter.samples == ["after 5", "after 10", "after 15"]


def test_weights_of_each_evaluation_are_kept(run):
    task = seeded_task(scores=[4.0, 3.0, 2.0, 1.0])
    train(run, steps=40, task=task)
    snapshots = checkpoint.snapshots(run.checkpoints)
    assert list(snapshots) == [10, 20, 30, 40]
    last, _ = checkpoint.read_arrays(snapshots[40])
    for value, variable in zip(last["trainable"], task.model.trainable_variables, strict=True):
        np.testing.assert_array_equal(value, np.asarray(variable.value))
    assert checkpoint.latest_step(run.checkpoints) == 40


def test_going_on_from_an_earlier_step_drops_the_weights_kept_after_it(run):
    checkpoint.save_snapshot(run.checkpoints, {"trainable": [np.zeros(1)]}, step=7)
    train(run, steps=4)
    assert 7 not in checkpoint.snapshots(run.checkpoints)
