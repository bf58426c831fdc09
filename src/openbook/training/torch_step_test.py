"""Steps on PyTorch: the numbers of JAX's, the state that comes back, bad losses, failures."""

import contextlib
import dataclasses
import functools

import keras
import numpy as np
import pytest

from openbook.errors import TrainingError
from openbook.layers import Muon
from openbook.training.losses import next_token_loss
from openbook.training.seeding import seeded
from openbook.training.state import TrainingState
from openbook.training.step import compile_train_step

pytest.importorskip("torch", reason="PyTorch is not installed: make environment-torch")

from openbook.training.torch_step import TorchStep

pytestmark = pytest.mark.long
NUM_CLASSES = 7


def small_model():
    with seeded(3):
        tokens = keras.Input((None,), dtype="int32")
        hidden = keras.layers.Embedding(NUM_CLASSES, 6, name="token_embedding")(tokens)
        hidden = keras.layers.Dense(12, activation="relu")(hidden)
        hidden = keras.layers.BatchNormalization()(hidden)
        return keras.Model(tokens, keras.layers.Dense(NUM_CLASSES)(hidden))


OPTIMIZERS = {
    "sgd": functools.partial(keras.optimizers.SGD, momentum=0.9),
    "adamw": functools.partial(keras.optimizers.AdamW, weight_decay=0.1, global_clipnorm=1.0),
    "muon": functools.partial(Muon, rates={"token_embedding": 2.0}),
}


def made(optimizer):
    made_optimizer = OPTIMIZERS[optimizer](learning_rate=0.5)
    if optimizer == "adamw":
        made_optimizer.exclude_from_weight_decay(var_names=["embeddings"])
    return made_optimizer


@contextlib.contextmanager
def torch_step(model, optimizer, loss=next_token_loss):
    optimizer.build(model.trainable_variables)
    with contextlib.closing(TorchStep(model, optimizer, loss)) as step:
        yield step


def batches(rng, num):
    return [tuple(rng.integers(NUM_CLASSES, size=(2, 4, 5), dtype=np.int32)) for _ in range(num)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_steps_give_the_numbers_of_jax(optimizer, rng):
    taken = batches(rng, 3)
    model, jax_optimizer = small_model(), made(optimizer)
    jax_optimizer.build(model.trainable_variables)
    on_jax = compile_train_step(model, jax_optimizer, next_token_loss)
    expected, expected_losses = TrainingState.of(model, jax_optimizer), []
    for inputs, targets in taken:
        expected, loss = on_jax(expected, inputs, targets, 0.02)
        expected_losses.append(float(loss))

    other_optimizer = made(optimizer)
    with torch_step(model, other_optimizer) as step:
        state, losses = TrainingState.of(model, other_optimizer), []
        for inputs, targets in taken:
            state, loss = step(state, inputs, targets, 0.02)
            losses.append(loss)
        found = state.groups()
    # Both are float32; Muon's iterations and Adam's division enlarge the last digits.
    np.testing.assert_allclose([float(loss) for loss in losses], expected_losses, rtol=2e-5)
    for name, group in expected.groups().items():
        for value, other in zip(group, found[name], strict=True):
            np.testing.assert_allclose(other, value, atol=2e-4, err_msg=name)


@pytest.fixture(scope="module")
def shared():
    """A step with plain gradient descent, and the state to begin with."""
    model, optimizer = small_model(), made("sgd")
    with torch_step(model, optimizer) as step:
        yield step, TrainingState.of(model, optimizer)


def test_state_that_was_given_is_where_a_step_begins(shared, rng):
    step, first = shared
    [(inputs, targets)] = batches(rng, 1)
    _, loss = step(first, inputs, targets, 0.1)
    second, other_loss = step(first, inputs, targets, 0.1)
    assert float(loss) == float(other_loss)
    _, third_loss = step(second, inputs, targets, 0.1)
    assert float(third_loss) < float(loss)


def test_step_with_a_loss_that_is_not_finite_changes_nothing(shared, rng):
    step, first = shared
    [(inputs, targets)] = batches(rng, 1)
    broken = dataclasses.replace(first, trainable=[np.array(value) for value in first.trainable])
    broken.trainable[-2][:] = np.inf
    after, loss = step(broken, inputs, targets, 0.1)
    assert np.isnan(float(loss))
    for name, group in broken.groups().items():
        for value, other in zip(group, after.groups()[name], strict=True):
            np.testing.assert_array_equal(other, value)


def test_arrays_of_an_earlier_step_are_refused(shared, rng):
    step, first = shared
    [(inputs, targets)] = batches(rng, 1)
    state, _ = step(first, inputs, targets, 0.1)
    step(state, inputs, targets, 0.1)
    with pytest.raises(RuntimeError, match="before the next"):
        _ = state.trainable


def test_failure_there_is_told_here(shared, rng):
    step, first = shared
    [(inputs, targets)] = batches(rng, 1)
    _, loss = step(first, inputs, targets[:, :2], 0.1)
    with pytest.raises(TrainingError, match=r"failed on PyTorch: \w+: .*--backend jax"):
        float(loss)


def test_process_that_ends_is_told(rng):
    [(inputs, targets)] = batches(rng, 1)
    model, optimizer = small_model(), made("sgd")
    with torch_step(model, optimizer) as step:
        step._process._process.kill()
        with pytest.raises(TrainingError, match="ended unexpectedly"):
            for _ in range(3):
                _, loss = step(TrainingState.of(model, optimizer), inputs, targets, 0.1)
                float(loss)
