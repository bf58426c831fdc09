"""Muon: what a step is made of, and that a saved one is the same again."""

import keras
import numpy as np
import pytest

from openbook.layers.muon import Muon

RATES = {"embedding": 3.0, "logits": 0.5}


def model():
    keras.utils.set_random_seed(0)
    tokens = keras.Input((4,), dtype="int32")
    hidden = keras.layers.Embedding(10, 8, name="embedding")(tokens)
    hidden = keras.layers.Dense(16, name="wide")(hidden)
    hidden = keras.layers.Dense(8, name="narrow", use_bias=False)(hidden)
    return keras.Model(tokens, keras.layers.Dense(10, use_bias=False, name="logits")(hidden))


def stepped(optimizer, gradients):
    """How far each weight moves, by its path."""
    net = model()
    before = [np.array(variable.value) for variable in net.trainable_variables]
    optimizer.build(net.trainable_variables)
    optimizer.apply(gradients)
    return {
        variable.path: np.array(variable.value) - old
        for variable, old in zip(net.trainable_variables, before, strict=True)
    }


@pytest.fixture
def gradients(rng):
    return [rng.normal(size=variable.shape).astype("float32") for variable in model().trainable_variables]


def test_a_matrix_moves_along_the_orthogonal_factor_of_its_gradient(gradients):
    optimizer = Muon(0.1, rates=RATES, num_iterations=5)
    moved = stepped(optimizer, gradients)
    paths = [variable.path for variable in model().trainable_variables]
    gradient = dict(zip(paths, gradients, strict=True))
    for path, factor in (("wide/kernel", 2**0.5), ("narrow/kernel", 1.0)):
        # Singular values come near 1, but are not brought exactly there.
        values = np.linalg.svd(moved[path] / (0.1 * factor), compute_uv=False)
        assert values.min() > 0.6
        assert values.max() < 1.3
        left, _, right = np.linalg.svd(gradient[path], full_matrices=False)
        cosine = np.sum(-moved[path] * (left @ right)) / np.linalg.norm(moved[path]) / 8**0.5
        assert cosine > 0.95


def test_the_rest_takes_adam_at_a_rate_of_its_own(gradients):
    moved = stepped(Muon(0.1, rates=RATES), gradients)
    # Adam's first step is the rate itself, against the gradient's sign.
    for path, ratio in (("embedding/embeddings", 3.0), ("logits/kernel", 0.5), ("wide/bias", 1.0)):
        np.testing.assert_allclose(np.abs(moved[path]), 0.1 * ratio, rtol=1e-3)


def test_both_precisions_move_alike(gradients):
    one, other = (
        stepped(Muon(0.1, rates=RATES, precision=each), gradients) for each in ("float32", "bfloat16")
    )
    np.testing.assert_allclose(one["wide/kernel"], other["wide/kernel"], atol=0.01)


def test_a_saved_optimizer_is_the_same_again(gradients):
    optimizer = Muon(0.1, rates=RATES, num_iterations=3, weight_decay=0.2)
    other = Muon.from_config(optimizer.get_config())
    assert other.get_config() == optimizer.get_config()
    expected, found = (stepped(each, gradients) for each in (optimizer, other))
    for path, moved in expected.items():
        np.testing.assert_allclose(found[path], moved, rtol=1e-6)
