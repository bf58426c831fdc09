"""Traces of small models: names, values, explanations, walks, checks, edits, limits and wrong use."""

import keras
import numpy as np
import pytest

import openbook
from openbook.errors import ModelError, UsageError

L = keras.layers


def dense_model():
    return keras.Sequential(
        [keras.Input((6,)), L.Dense(4, activation="relu"), L.Dense(3, activation="softmax")]
    )


def recurrent_model():
    return keras.Sequential([keras.Input((5, 3)), L.LSTM(4, return_sequences=True), L.GRU(3), L.Dense(2)])


def convolutional_model():
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            L.Conv2D(3, 3, padding="same", activation="gelu"),
            L.BatchNormalization(),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dropout(0.4),
            L.Dense(3),
        ]
    )


MODELS = {
    "dense": (dense_model, (2, 6)),
    "recurrent": (recurrent_model, (2, 5, 3)),
    "convolutional": (convolutional_model, (2, 8, 8, 2)),
}


@pytest.fixture(params=MODELS)
def traced(request, rng):
    make, shape = MODELS[request.param]
    model = make()
    inputs = rng.normal(size=shape).astype("float32")
    return model, inputs, openbook.trace(model, inputs)


def random_index(rng, array):
    return tuple(int(rng.integers(size)) for size in array.shape)


def walk(trace, name, index, rng, limit=400):
    """Follow random operands back; returns the explanation where the walk ends."""
    explanation = trace.explain(name, index)
    for _ in range(limit):
        np.testing.assert_allclose(explanation.evaluate(), explanation.value, rtol=1e-5, atol=1e-6)
        if explanation.is_leaf:
            break
        term = explanation.terms[rng.integers(len(explanation.terms))]
        explanation = term.operands[rng.integers(len(term.operands))].explain()
    return explanation


def test_output_is_the_models_own(traced):
    model, inputs, trace = traced
    np.testing.assert_allclose(trace["output"], np.asarray(model(inputs)), rtol=1e-5, atol=1e-6)


def test_weights_and_input_are_there_by_name(traced):
    model, inputs, trace = traced
    np.testing.assert_array_equal(trace["input"], inputs)
    for layer in model.layers:
        for variable in layer.variables:
            name = variable.path.removeprefix(f"{model.name}/")
            np.testing.assert_array_equal(trace[name], np.asarray(variable.value))


def test_every_value_agrees_with_numpy(traced):
    check = traced[2].check()
    assert check.unchecked == ()
    # One step in float32 from the same operands.
    assert check.largest < 1e-5, check
    assert check.num_values > 10


def test_names_are_unique_and_stable(traced):
    model, inputs, trace = traced
    names = trace.names()
    assert len(set(names)) == len(names)
    assert names == openbook.trace(model, inputs + 1).names()


def test_walks_from_random_elements_end_in_inputs_weights_or_constants(traced, rng):
    trace = traced[2]
    for name in trace.names():
        if trace[name].size:
            end = walk(trace, name, random_index(rng, trace[name]), rng)
            assert end.kind in ("input", "weight", "constant", "given"), (name, end)


def test_terms_and_remainder_add_up(traced, rng):
    trace = traced[2]
    num_sums = 0
    for name in trace.names():
        if not trace[name].size:
            continue
        explanation = trace.explain(name, random_index(rng, trace[name]))
        if explanation.kind == "sum":
            total = sum(term.contribution for term in explanation.terms) + explanation.remainder
            assert total == pytest.approx(float(explanation.value), rel=1e-4, abs=1e-5)
            sizes = [abs(term.contribution) for term in explanation.terms]
            assert sizes == sorted(sizes, reverse=True)
            num_sums += 1
    assert num_sums > 0


def test_formula_of_a_dense_product_by_hand():
    model = keras.Sequential([keras.Input((2,)), L.Dense(1, use_bias=False)])
    model.layers[0].set_weights([np.array([[3.0], [-2.0]])])
    trace = openbook.trace(model, np.array([[5.0, 7.0]]))
    explanation = trace.explain("output", (0, 0))
    assert explanation.value == 1.0
    contributions = [
        (term.contribution, [each.value for each in term.operands]) for term in explanation.terms
    ]
    assert contributions == [(15.0, [5.0, 3.0]), (-14.0, [7.0, -2.0])]
    assert "= 1" in explanation.formula


def test_another_input_or_an_edited_weight_needs_no_new_compilation(rng):
    model = dense_model()
    inputs = rng.normal(size=(2, 6)).astype("float32")
    trace = openbook.trace(model, inputs)
    capture = trace._reading.capture
    kernel = np.zeros((4, 3), "float32")
    edited = trace.again({"dense_1/kernel" if "dense_1/kernel" in trace else _second_kernel(trace): kernel})
    np.testing.assert_allclose(edited["output"], 1 / 3)
    openbook.trace(model, inputs + 1)
    model.layers[0].kernel.assign(model.layers[0].kernel + 1)
    changed = openbook.trace(model, inputs)
    np.testing.assert_allclose(changed["output"], np.asarray(model(inputs)), rtol=1e-5)
    assert changed._reading is trace._reading
    assert capture._cache_size() == 1


def _second_kernel(trace):
    return [name for name in trace.names() if name.endswith("/kernel")][1]


def test_dropout_is_seen_as_what_it_is(rng):
    model = keras.Sequential([keras.Input((50,)), L.Dropout(0.5)])
    inputs = np.ones((1, 50), "float32")
    np.testing.assert_array_equal(openbook.trace(model, inputs)["output"], inputs)
    trained = openbook.trace(model, inputs, training=True)
    assert set(np.unique(trained["output"])) == {0.0, 2.0}
    np.testing.assert_array_equal(trained["output"], openbook.trace(model, inputs, training=True)["output"])
    explanation = trained.explain("output", (0, int(np.argmin(trained["output"][0]))))
    assert explanation.value == 0.0


def test_values_over_the_limit_are_computed_when_asked_for(rng):
    model = convolutional_model()
    inputs = rng.normal(size=(2, 8, 8, 2)).astype("float32")
    whole, partial = openbook.trace(model, inputs), openbook.trace(model, inputs, limit_bytes=2000)
    assert partial.names() == whole.names()
    assert len(partial._arrays) < len(whole._arrays)
    for name in whole.names():
        np.testing.assert_allclose(partial[name], whole[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_function_of_jax_with_loop_and_branch(rng):
    import jax
    import jax.numpy as jnp

    def function(x, n):
        doubled = jax.lax.fori_loop(0, 3, lambda i, y: y * 2 + i, x)
        return jax.lax.cond(n > 0, jnp.sin, jnp.cos, doubled)

    x = rng.normal(size=(4,)).astype("float32")
    trace = openbook.trace(function, x, np.int32(1))
    np.testing.assert_allclose(trace["output"], np.sin(x * 8 + 4), rtol=1e-5)
    end = walk(trace, "output", (2,), rng)
    assert end.kind in ("input", "constant", "given", "unknown")


def test_results_of_a_function_have_their_keys_as_names():
    trace = openbook.trace(lambda p, x: {"loss": (p["w"] * x).sum(), "all": [x, p["w"] + x]}, {"w": 2.0}, 3.0)
    assert trace["output/loss"] == 6
    assert trace["output/all/2"] == 5
    assert trace["input/1/w"] == 2


def test_settings_of_a_function_stay_what_they_are():
    def repeated(x, times, mode):
        for _ in range(times):
            x = x * 2 if mode == "double" else x + 1
        return x

    assert openbook.trace(repeated, np.float32(1), 3, "double")["output"] == 8
    trace = openbook.trace(lambda x, power: x * power, np.float32(3), 2)
    assert trace["input/2"] == 2
    with pytest.raises(ModelError, match=r"lax\.cond"):
        openbook.trace(repeated, np.float32(1), np.int32(3), "double")


def test_training_step_gives_keras_own_numbers(rng):
    model = dense_model()
    inputs = rng.normal(size=(4, 6)).astype("float32")
    targets = np.array([0, 1, 2, 1])
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
    step = openbook.trace_step(model, inputs, targets)
    before = [np.array(variable.value) for variable in model.trainable_variables]
    assert step.check().largest < 1e-5
    loss = model.train_on_batch(inputs, targets)
    assert float(step["loss"]) == pytest.approx(float(np.ravel(loss)[0]), rel=1e-5)
    for variable, old in zip(model.trainable_variables, before, strict=True):
        path = variable.path.removeprefix(f"{model.name}/")
        np.testing.assert_allclose(step[f"updates/{path}"], np.asarray(variable.value), rtol=1e-4, atol=1e-6)
        assert np.abs(step[f"updates/{path}"] - old).max() > 1e-3
        assert step[f"gradients/{path}"].shape == old.shape
    walk(step, f"updates/{path}", random_index(rng, old), rng)


def test_first_nonfinite_names_where_it_arose():
    import jax.numpy as jnp

    trace = openbook.trace(lambda x: jnp.exp(jnp.log(x) * 2) + 1, np.array([1.0, 0.0, 2.0], "float32"))
    name, index = trace.first_nonfinite()
    assert name.startswith("log")
    assert index == (1,)
    healthy = openbook.trace(jnp.exp, np.ones(3, "float32"))
    assert healthy.first_nonfinite() is None
    name, index = openbook.trace(lambda x: x + 1, np.array([1.0, np.nan], "float32")).first_nonfinite()
    assert (name, index) == ("input/1", (1,))


def test_nan_born_of_infinities_is_named_and_a_mask_is_not():
    import jax
    import jax.numpy as jnp

    def masked_softmax(is_masked):
        return jax.nn.softmax(jnp.where(is_masked, -jnp.inf, 1.0))

    assert openbook.trace(masked_softmax, np.array([True, False])).first_nonfinite() is None
    name, index = openbook.trace(masked_softmax, np.array([True, True])).first_nonfinite()
    assert (name, index) == ("softmax/subtract", (0,))
    name, index = openbook.trace(lambda x: jnp.fft.fft(x) / 0, np.ones(3, "float32")).first_nonfinite()
    assert name == "output"


def test_nan_stands_first_in_a_sum():
    row = np.ones((1, 30), "float32")
    row[0, 20] = np.nan
    explanation = openbook.trace(lambda x: x @ np.ones((30, 1), "float32"), row).explain("output", (0, 0))
    assert np.isnan(explanation.terms[0].contribution)
    assert explanation.terms[0].operands[0].index == (0, 20)
    assert explanation.remainder == 22.0


def test_terms_of_a_complex_sum_add_up():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(2, 12)) + 1j * rng.normal(size=(2, 12))).astype("complex64")
    explanation = openbook.trace(lambda x: x @ x.T, x).explain("output", (0, 1))
    total = sum(term.contribution for term in explanation.terms) + explanation.remainder
    np.testing.assert_allclose(total, explanation.value, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda model: openbook.trace(3, np.ones(2)), ModelError, "expected a Keras model"),
        (lambda model: openbook.trace(model, np.ones((2, 5))), ModelError, r"\(any, 6\)"),
        (lambda model: openbook.trace(model, np.ones((2, 6)), np.ones((2, 6))), ModelError, "takes 1 inputs"),
        (lambda model: openbook.trace(model, [["a"] * 6]), ModelError, "takes numbers"),
        (lambda model: openbook.trace("nowhere.keras", np.ones(2)), ModelError, "no such file"),
        (lambda model: openbook.trace(lambda x: x if x > 0 else -x, np.float32(1)), ModelError, "lax.cond"),
        (lambda model: openbook.trace(model, np.ones((2, 6)))["outptu"], UsageError, "Did you mean output"),
        (
            lambda model: openbook.trace(model, np.ones((2, 6))).explain("output", (0, 3)),
            UsageError,
            "axis 1",
        ),
        (lambda model: openbook.trace(model, np.ones((2, 6))).explain("output", 0), UsageError, "2 indices"),
        (
            lambda model: openbook.trace(model, np.ones((2, 6))).explain("output", (0, 1.5)),
            UsageError,
            "whole",
        ),
        (lambda model: openbook.trace(model, np.ones((2, 6))).explain("output", "01"), UsageError, "whole"),
        (lambda model: openbook.trace(model, np.ones((2, 6)))[3], UsageError, "no value called 3"),
        (lambda model: openbook.trace(model, np.ones((2, 6))).again({"input": "x"}), UsageError, "float32"),
        (lambda model: openbook.trace_step(model, np.ones((2, 6)), np.ones(2)), ModelError, "not compiled"),
        (lambda model: openbook.to_numpy(model, np.ones((2, 6)), step=True), UsageError, "targets"),
    ],
)
def test_wrong_use_is_a_clear_error(call, error, words):
    with pytest.raises(error, match=words):
        call(dense_model())


def test_layers_named_like_their_model_or_with_brackets_keep_their_names():
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(3, name="digits")(inputs)
    functional = keras.Model(inputs, keras.layers.Dense(2, name="<a (b)>")(hidden), name="digits")
    names = openbook.trace(functional, np.ones((1, 4), "float32")).names()
    assert {"digits/kernel", "digits/product", "<a (b)>/kernel", "<a (b)>/product"} <= set(names)
    sequential = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="digits")], name="digits")
    names = openbook.trace(sequential, np.ones((1, 4), "float32")).names()
    assert {"digits/kernel", "digits/product"} <= set(names)
