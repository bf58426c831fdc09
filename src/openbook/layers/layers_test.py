"""Contracts of openbook's own layers: causality, gradients, the cache, saving."""

import jax
import keras
import numpy as np
import pytest

from openbook.layers import (
    CausalSelfAttention,
    DecoderBlock,
    FeedForward,
    GatedFeedForward,
    GroupedQueryAttention,
    LlamaBlock,
    Projection,
    TiedEmbedding,
)
from openbook.layers.fusing import fused_attention
from openbook.layers.product import product
from openbook.layers.rotary import rotate

LAYERS = {
    "projection": lambda: Projection(6, precision="float32"),
    "attention": lambda: CausalSelfAttention(2, 4),
    "feed_forward": lambda: FeedForward(12),
    "decoder_block": lambda: DecoderBlock(num_heads=2, head_dim=4, feed_forward_units=16),
    "grouped_attention": lambda: GroupedQueryAttention(4, 2, 6),
    "gated_feed_forward": lambda: GatedFeedForward(12),
    "llama_block": lambda: LlamaBlock(num_heads=4, num_key_heads=2, head_dim=6, feed_forward_units=16),
}
BLOCKS = ("decoder_block", "llama_block")


def randomize(layer, rng):
    """Weights away from zero, so that zero-initialised projections do not hide anything."""
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) * 0.5)


@pytest.mark.parametrize("name", LAYERS)
def test_layer_comes_back_from_a_saved_model_in_safe_mode(name, tmp_path, rng):
    inputs = keras.Input((None, 8))
    layer = LAYERS[name]()
    model = keras.Model(inputs, layer(inputs))
    randomize(layer, rng)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    sequence = rng.normal(size=(2, 5, 8)).astype("float32")
    np.testing.assert_array_equal(np.asarray(model(sequence)), np.asarray(loaded(sequence)))


@pytest.mark.parametrize("name", ["attention", "grouped_attention", *BLOCKS])
def test_fused_attention_gives_the_same_outputs_and_gradients(name, rng, monkeypatch):
    layer = LAYERS[name]()
    layer.build((None, None, 8))
    randomize(layer, rng)
    sequence = rng.normal(size=(2, 7, 8)).astype("float32")
    probe = rng.normal(size=(2, 7, 8)).astype("float32")
    weights = [variable.value for variable in layer.trainable_variables]

    def probed(weights, sequence):
        outputs, _ = layer.stateless_call(weights, [], sequence)
        return (probe * outputs).sum()

    calls, fused = [], keras.ops.dot_product_attention
    monkeypatch.setattr(
        keras.ops,
        "dot_product_attention",
        lambda *heads, **options: calls.append(1) or fused(*heads, **options),
    )
    found = []
    for is_wanted in (False, True):
        with fused_attention(is_wanted=is_wanted):
            found.append(jax.value_and_grad(probed, argnums=(0, 1))(weights, sequence))
        assert bool(calls) == is_wanted
    for one, other in zip(*map(jax.tree.leaves, found), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["attention", "grouped_attention", *BLOCKS])
@pytest.mark.parametrize("changed", [1, 3, 5])
def test_output_does_not_depend_on_later_positions(name, changed, rng):
    layer = LAYERS[name]()
    layer.build((None, None, 8))
    randomize(layer, rng)
    sequence = rng.normal(size=(1, 6, 8)).astype("float32")
    other = sequence.copy()
    other[:, changed:] = rng.normal(size=other[:, changed:].shape)
    before, after = np.asarray(layer(sequence)), np.asarray(layer(other))
    np.testing.assert_array_equal(before[:, :changed], after[:, :changed])
    assert np.abs(before[:, changed:] - after[:, changed:]).max() > 1e-3


@pytest.mark.parametrize("name", BLOCKS)
def test_block_with_cache_equals_block_over_the_whole_text(name, rng):
    block = LAYERS[name]()
    block.build((None, None, 8))
    randomize(block, rng)
    sequence = rng.normal(size=(1, 7, 8)).astype("float32")
    whole = np.asarray(block(sequence))
    cache = block.empty_cache(7)
    for position in range(7):
        output, cache = block.step(sequence[:, position : position + 1], cache, keras.ops.array(position))
        # The same sums in another order: float32 rounding only.
        np.testing.assert_allclose(np.asarray(output)[0, 0], whole[0, position], rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", BLOCKS)
def test_ring_cache_sees_the_last_positions_only(name, rng):
    attention_block = LAYERS[name]()
    attention_block.build((None, None, 8))
    randomize(attention_block, rng)
    sequence = rng.normal(size=(1, 9, 8)).astype("float32")
    other = sequence.copy()
    other[:, :4] = 0.0  # outside the last 4 slots when position 8 is read

    def last_output(tokens):
        cache = attention_block.empty_cache(4)
        for position in range(9):
            output, cache = attention_block.step(tokens[:, position : position + 1], cache, position)
        return np.asarray(output)

    np.testing.assert_array_equal(last_output(sequence), last_output(other))


def test_rotated_scores_depend_on_the_distance_alone(rng):
    query, key = rng.normal(size=(2, 1, 1, 1, 8)).astype("float32")

    def score(query_position, key_position):
        turned_query = rotate(query, np.array([query_position]), base=1000.0)
        turned_key = rotate(key, np.array([key_position]), base=1000.0)
        return float(np.sum(np.asarray(turned_query) * np.asarray(turned_key)))

    assert score(7, 3) == pytest.approx(score(104, 100), rel=1e-4)
    assert abs(score(7, 3) - score(9, 3)) > 1e-4


def test_bfloat16_product_and_its_gradients_stay_near_float32(rng):
    jax = pytest.importorskip("jax")
    inputs = rng.normal(size=(3, 5, 16)).astype("float32")
    kernel = rng.normal(size=(16, 7)).astype("float32")
    probe = rng.normal(size=(3, 5, 7)).astype("float32")

    def probed(precision):
        def total(inputs, kernel):
            return (product(inputs, kernel, precision=precision) * probe).sum()

        return jax.value_and_grad(total, argnums=(0, 1))(inputs, kernel)

    exact, rounded = jax.tree.leaves(probed("float32")), jax.tree.leaves(probed("bfloat16"))
    for one, other in zip(exact, rounded, strict=True):
        assert other.dtype == "float32"
        # bfloat16 keeps 8 bits: about 1/256 an operand.
        assert np.linalg.norm(one - other) < 0.01 * np.linalg.norm(one)


def test_grouped_heads_are_heads_that_share_keys_and_values(rng):
    """With the kernels of keys and values repeated for each head of a group, nothing changes."""
    grouped, single = GroupedQueryAttention(4, 2, 6), GroupedQueryAttention(4, 4, 6)
    for layer in (grouped, single):
        layer.build((None, None, 8))
    randomize(grouped, rng)
    for name in ("query", "output_projection"):
        getattr(single, name).kernel.assign(getattr(grouped, name).kernel)
    for name in ("key", "value"):
        by_head = np.asarray(getattr(grouped, name).kernel).reshape(8, 2, 6)
        getattr(single, name).kernel.assign(np.repeat(by_head, 2, axis=1).reshape(8, 24))
    sequence = rng.normal(size=(2, 5, 8)).astype("float32")
    np.testing.assert_allclose(
        np.asarray(grouped(sequence)), np.asarray(single(sequence)), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_tied_embedding_looks_up_and_compares_with_the_same_table(precision, tmp_path, rng):
    tokens = keras.Input((None,), dtype="int32")
    embedding = TiedEmbedding(11, 4, precision=precision)
    model = keras.Model(tokens, embedding(embedding(tokens), reverse=True))
    assert model.output_shape == (None, None, 11)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    table = rng.normal(size=(11, 4)).astype("float32")
    loaded.set_weights([table])
    # bfloat16 keeps 8 bits: about 1/256 an operand.
    tolerance = 1e-5 if precision == "float32" else 0.05
    expected = table[[3, 10]] @ table.T
    np.testing.assert_allclose(np.asarray(loaded(np.array([[3, 10]])))[0], expected, atol=tolerance)


def test_low_rank_update_does_nothing_at_first_and_is_merged_into_the_kernel(rng):
    layer = Projection(6)
    layer.build((None, 8))
    inputs = rng.normal(size=(3, 8)).astype("float32")
    before = np.asarray(layer(inputs))
    layer.add_low_rank_update(rank=2, scale=2.0)
    np.testing.assert_array_equal(np.asarray(layer(inputs)), before)
    down, up = layer.trainable_variables
    assert (down.shape, up.shape) == ((8, 2), (2, 6))
    up.assign(rng.normal(size=(2, 6)))
    updated = np.asarray(layer(inputs))
    np.testing.assert_allclose(updated - before, 2.0 * inputs @ np.asarray(down) @ np.asarray(up), atol=1e-5)
    layer.merge_low_rank_update()
    assert [variable.shape for variable in layer.trainable_variables] == [(8, 6)]
    np.testing.assert_allclose(np.asarray(layer(inputs)), updated, atol=1e-5)
