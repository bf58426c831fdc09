"""A step read without weights: the same as the real one, and of any size."""

import keras
import numpy as np
import pytest

from openbook.forecasting.abstract_model import compiled, read_step
from openbook.training.weightless import without_weights


def test_nothing_is_drawn_and_nothing_is_left_to_draw(workload):
    with without_weights():
        model = workload.build()
    assert all(variable._value is None for variable in model.trainable_variables)
    # Another scope that ends draws whatever Keras still has on its list.
    with keras.StatelessScope():
        pass
    assert all(variable._value is None for variable in model.trainable_variables)
    real = workload.build()
    assert np.isfinite(np.asarray(real.weights[0])).all()


def test_step_has_the_parameters_and_bytes_of_the_real_model(workload):
    step = read_step(workload.build, workload.optimizer, workload.loss, workload.batch_at(0))
    model = workload.build()
    assert step.num_parameters == model.count_params()
    assert step.weight_bytes == 4 * sum(np.prod(v.shape, dtype=int) for v in model.trainable_variables)
    assert step.slot_bytes >= 2 * step.weight_bytes  # Adam's two averages


def test_forward_part_is_that_of_the_layers(workload):
    step = read_step(workload.build, workload.optimizer, workload.loss, workload.batch_at(0))
    paths = {each.step.scope.path[0] for each in step.forward.steps}
    assert {"hidden", "logits"} <= paths
    products = 2 * 32 * (64 * 128 + 128 * 10)
    assert step.forward.operations >= products
    assert step.forward.operations < 0.6 * step.cost.operations


def test_compiler_tells_of_memory(workload):
    step = compiled(read_step(workload.build, workload.optimizer, workload.loss, workload.batch_at(0)))
    assert step.temporary_bytes > 0
    assert step.fused_bytes > 0
    assert step.compile_s > 0


def test_model_larger_than_any_memory_can_be_read(workload):
    import dataclasses

    def build():
        inputs = keras.Input((64,))
        hidden = keras.layers.Dense(3_000_000, name="wide")(inputs)
        return keras.Model(inputs, keras.layers.Dense(1_000_000, name="wider")(hidden))

    huge = dataclasses.replace(workload, build=build, loss=lambda outputs, targets: keras.ops.mean(outputs))
    step = read_step(huge.build, huge.optimizer, huge.loss, huge.batch_at(0))
    assert step.weight_bytes == pytest.approx(4 * 3_000_000 * 1_000_000, rel=0.01)  # 12 TB
