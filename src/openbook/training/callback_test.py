"""Callbacks, patience and schedules of the training loop on a small task."""

import os
import signal

import keras
import numpy as np
import pytest

from openbook.errors import Interrupted, UsageError
from openbook.runs import Run
from openbook.training.callback import Callback, Watch, watching
from openbook.training.fit import FitSettings, fit
from openbook.training.keras_callbacks import as_callbacks
from openbook.training.length import Length
from openbook.training.reporter import Reporter
from openbook.training.schedule import SHAPES, Schedule
from openbook.training.seeding import seeded
from openbook.training.tensorboard import TensorBoardCallback


class LineTask:
    """Learns y = 3x - 1; held-out scores may be given."""

    steps_per_epoch = 10
    score_key = "loss"
    unit = "points"
    units_per_step = 16

    def __init__(self, *, scores=None, stop=None):
        with seeded(0):
            inputs = keras.Input((1,))
            self.model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
        self.scores = scores
        self.stop = stop

    def loss(self, outputs, targets):
        return keras.ops.mean(keras.ops.square(outputs - targets))

    def batch_at(self, step):
        points = np.random.default_rng([7, step]).normal(size=(16, 1)).astype("float32")
        return points, 3 * points - 1

    def evaluate(self, state):
        if self.scores is not None:
            return {"loss": self.scores.pop(0)}
        return {"loss": float(np.square(np.asarray(state.trainable[0]) - 3).sum())}

    def held_out_outputs(self, state):
        points, targets = self.batch_at(10**6)
        return points @ np.asarray(state.trainable[0]) + np.asarray(state.trainable[1]), targets

    def sample(self, state, step):
        return f"after {step}"


class Recorder(Callback):
    """Keeps what it is told."""

    def __init__(self, *, stop_at=None):
        self.stop_at = stop_at
        self.steps, self.evaluations, self.ends = [], [], []

    def on_step(self, step, loss, learning_rate):
        self.steps.append((step, loss, learning_rate))

    def on_evaluation(self, step, score):
        self.evaluations.append((step, score))
        return "stop" if step == self.stop_at else None

    def on_end(self, score):
        self.ends.append(score)


class Weights(Callback):
    """Reads a weight at every step."""

    uses_model = True

    def __init__(self):
        self.kernels = []

    def on_step(self, step, loss, learning_rate):
        self.kernels.append(float(np.asarray(self.model.layers[-1].kernel.value)[0, 0]))


@pytest.fixture
def run(tmp_path):
    return Run.create(recipe="line", record={}, parent=tmp_path)


def train(run, *, task=None, steps=40, **watch):
    task = task or LineTask()
    settings = FitSettings(
        optimizer=keras.optimizers.SGD(0.1),
        schedule=Schedule(peak=0.1),
        length=Length(steps=steps),
        checkpoint_interval_s=1e9,
    )
    with watching(Watch(**watch)):
        return fit(task, settings, run=run, reporter=Reporter()), task


def test_callback_hears_of_every_step_score_and_the_end(run):
    recorder = Recorder()
    result, _ = train(run, callbacks=(recorder,))
    assert [step for step, _, _ in recorder.steps] == list(range(1, 41))
    assert [step for step, _ in recorder.evaluations] == [10, 20, 30, 40]
    assert recorder.ends == [result.score]
    rows = {row["step"]: row for row in run.metrics() if "loss" in row}
    assert recorder.steps[9][1:] == (rows[10]["loss"], rows[10]["learning_rate"])


def test_callback_may_end_the_run(run):
    result, _ = train(run, callbacks=(Recorder(stop_at=20),))
    assert result.steps == 20


def test_callback_that_reads_weights_sees_those_after_its_step(run):
    weights = Weights()
    result, task = train(run, callbacks=(weights,), steps=8)
    assert len(set(weights.kernels)) == 8
    assert weights.kernels[result.kept_step - 1] == float(
        np.asarray(task.model.layers[-1].kernel.value)[0, 0]
    )


def test_patience_ends_the_run_and_keeps_the_best_weights(run):
    result, _ = train(run, task=LineTask(scores=[0.5, 0.4, 0.6, 0.5]), patience=2)
    assert (result.steps, result.kept, result.kept_step) == (8, "best", 4)
    # Samples and snapshots are made at a quarter, a half and three quarters only, and at the end.
    assert not list(run.samples_folder.iterdir())


class Interrupting(Callback):
    """Stops as Ctrl-C does, after a step."""

    def on_step(self, step, loss, learning_rate):
        if step == 4:
            os.kill(os.getpid(), signal.SIGINT)


def test_patience_counts_on_after_a_resume(run):
    with pytest.raises(Interrupted):
        train(run, task=LineTask(scores=[0.4, 0.5]), patience=2, callbacks=(Interrupting(),))
    result, _ = train(run, task=LineTask(scores=[0.6, 0.7]), patience=2)
    # Scores of steps 2, 4 and 6; the second one without a better is that of step 6.
    assert (result.steps, result.kept_step) == (6, 2)


class KerasRecorder(keras.callbacks.Callback):
    """A Keras callback."""

    def on_train_begin(self, logs=None):
        self.batches, self.epochs = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append((epoch, sorted(logs), float(np.asarray(self.model.layers[-1].kernel.value)[0, 0])))


def test_keras_callbacks_are_called_with_the_weights_of_the_epoch(run):
    recorder = KerasRecorder()
    train(run, callbacks=as_callbacks([recorder]))
    assert recorder.batches == list(range(40))
    assert [epoch for epoch, _, _ in recorder.epochs] == [0, 1, 2, 3]
    assert recorder.epochs[0][1] == ["loss", "val_loss"]
    assert len({kernel for _, _, kernel in recorder.epochs}) == 4


def test_early_stopping_of_keras_ends_the_run(run):
    stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=1)
    result, _ = train(run, task=LineTask(scores=[0.4, 0.5, 0.6, 0.7]), callbacks=as_callbacks([stopping]))
    assert result.steps == 20


@pytest.mark.parametrize(
    ("callback", "instead"),
    [
        (keras.callbacks.ReduceLROnPlateau(), "setting schedule"),
        (keras.callbacks.LearningRateScheduler(lambda epoch: 1.0), "setting schedule"),
        (print, "expected a callback"),
    ],
)
def test_callbacks_that_make_no_sense_say_what_does(callback, instead):
    with pytest.raises(UsageError, match=instead):
        as_callbacks([callback])


def test_custom_metric_stands_in_every_score(run):
    largest = {"largest_error": lambda outputs, targets: np.abs(outputs - targets).max()}
    result, _ = train(run, metrics=largest)
    assert result.score["largest_error"] < 1.0
    assert all("largest_error" in row["held_out"] for row in run.metrics() if "held_out" in row)


def test_metric_that_fails_says_what_it_is_called_with(run):
    with pytest.raises(UsageError, match=r"metric 'bad' failed .*\(16, 1\)"):
        train(run, metrics={"bad": lambda outputs, targets: outputs})


@pytest.mark.parametrize("shape", SHAPES)
def test_schedule_is_what_trains(run, shape):
    recorder = Recorder()
    train(run, callbacks=(recorder,), schedule=shape)
    expected = Schedule(peak=0.1, shape=shape)
    rates = [rate for _, _, rate in recorder.steps]
    assert rates == [expected.learning_rate(step / 40) for step in range(40)]
    # Half of the run is done: 0.5 / 0.7, half a cosine, nothing, a tenth.
    middle = {"trapezoid": 0.05 / 0.7, "cosine": 0.05, "constant": 0.1, "step": 0.01}
    assert rates[20] == pytest.approx(middle[shape])


def test_unknown_schedule_names_those_there_are():
    with pytest.raises(UsageError, match="trapezoid, cosine, constant or step"):
        Schedule(peak=0.1, shape="triangle")


def test_tensorboard_has_the_curves(run):
    train(run, callbacks=(TensorBoardCallback(run.path / "tensorboard"),))
    [file] = (run.path / "tensorboard").iterdir()
    assert all(name in file.read_bytes() for name in (b"training/loss", b"held_out/loss"))
