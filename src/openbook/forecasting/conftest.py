"""Fixtures of the forecast: a machine of round numbers, and a step of a small model."""

import dataclasses

import numpy as np
import pytest

from openbook.forecasting.machine_profile import MachineProfile, Speed
from openbook.forecasting.workload import ForwardWork, Workload
from openbook.training.length import Length


@pytest.fixture
def machine():
    """100 GFLOP/s for large products, 10 GB/s, no overhead to speak of."""
    product = Speed(dtype="float32", shape=(1, 1024, 1024, 1024), gflops=100.0)
    small = Speed(dtype="float32", shape=(1, 64, 64, 64), gflops=10.0)
    half = Speed(dtype="bfloat16", shape=(1, 1024, 1024, 1024), gflops=200.0)
    convolution = Speed(dtype="float32", shape=(1, 4096, 288, 64), gflops=50.0)
    return MachineProfile(
        name="round",
        origin="measured",
        identity={"processor": "round", "num_cores": 2},
        products=(product, small, half),
        convolutions=(convolution,),
        convolution_gradients=((convolution,), (convolution,)),
        memory_gb_per_s=10.0,
        cache_gb_per_s=20.0,
        cache_bytes=1 << 20,
        element_gops=10.0,
        transcendental_gops=1.0,
        scattered_gb_per_s=5.0,
        kernel_overhead_s=1e-6,
        loop_overhead_s=1e-6,
        step_overhead_s=1e-3,
        compile_s=1e-3,
        memory_bytes=8_000_000_000,
        process_bytes=500_000_000,
        program_bytes=50_000.0,
        disk_gb_per_s=1.0,
    )


@pytest.fixture
def workload():
    """A dense net on 32 rows of 64 features, ten classes; 100 steps."""
    import keras

    def build():
        return keras.Sequential(
            [
                keras.Input((64,)),
                keras.layers.Dense(128, activation="relu", name="hidden"),
                keras.layers.Dropout(0.5, name="dropout"),
                keras.layers.Dense(10, name="logits"),
            ]
        )

    def loss(outputs, targets):
        return keras.ops.mean(
            keras.losses.sparse_categorical_crossentropy(targets, outputs, from_logits=True)
        )

    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(32, 64)).astype("float32"), rng.integers(0, 10, 32).astype("int32")
    return Workload(
        recipe="dense",
        settings={"units": 128},
        length=Length(steps=100),
        checkpoint_interval_s=30.0,
        build=build,
        optimizer=keras.optimizers.Adam,
        loss=loss,
        batch_at=lambda step: (inputs, targets),
        steps_per_epoch=50,
        unit="rows",
        units_per_step=32,
        prepare_s=2.0,
        data_bytes=1_000_000,
        num_evaluations=4,
        evaluation=ForwardWork(batches=10),
        final=ForwardWork(batches=40),
        preprocessing_bytes=1000,
    )


@pytest.fixture
def with_length(workload):
    """The same work for another length of training."""
    return lambda **length: dataclasses.replace(workload, length=Length(**length))
