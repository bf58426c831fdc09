"""Models to look at, and a client that asks their server what the page would ask."""

import json

import numpy as np
import pytest

PORT = 8000
TOKEN = "the-token"


@pytest.fixture(scope="session")
def digits():
    """A small convolutional network, compiled, that tells ten classes apart."""
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((12, 12, 1), name="picture")
    hidden = keras.layers.Conv2D(3, 3, activation="relu", name="convolution")(inputs)
    hidden = keras.layers.Flatten(name="flat")(hidden)
    outputs = keras.layers.Dense(10, activation="softmax", name="classes")(hidden)
    model = keras.Model(inputs, outputs, name="digits")
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.fixture(scope="session")
def forecaster():
    """A small recurrent network on series of any length."""
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, 2), name="readings")
    hidden = keras.layers.SimpleRNN(3, name="recurrent")(inputs)
    outputs = keras.layers.Dense(1, name="forecast")(hidden)
    model = keras.Model(inputs, outputs, name="forecaster")
    model.compile("sgd", "mse")
    return model


class Asker:
    """Asks as the page does."""

    def __init__(self, subjects, **options):
        from starlette.testclient import TestClient

        from openbook.page.app import make_app
        from openbook.page.guard import Guard
        from openbook.page.traces import Library

        self.library = Library(subjects, **options)
        guarded = Guard(make_app(self.library), token=TOKEN, port=PORT)
        self.client = TestClient(guarded, base_url=f"http://127.0.0.1:{PORT}", follow_redirects=False)

    def get(self, path, /, **query):
        return self.client.get(f"/{TOKEN}/api/{path}", params=query)

    def json(self, path, /, **query):
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def floats(self, path, /, **query):
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return np.frombuffer(answer.content, "<f4")

    def post(self, path, content):
        return self.client.post(f"/{TOKEN}/api/{path}", json=content)

    def events(self, path, content):
        """The events of a POST, as (name, data)."""
        answer = self.post(path, content)
        assert answer.status_code == 200, answer.text
        found = []
        for block in answer.text.strip().split("\n\n"):
            name, data = block.split("\n", 1)
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
        return found

    def trace(self, model, given, **request):
        """A trace's information."""
        name, info = self.events(f"models/{model}/traces", {"input": given, "mode": "forward", **request})[-1]
        assert name == "done", info
        return info

    def failure(self, model, given, **request):
        """The sentence with which a trace is refused."""
        name, content = self.events(f"models/{model}/traces", {"input": given, "mode": "forward", **request})[
            -1
        ]
        assert name == "failed", content
        return content["error"]


@pytest.fixture(scope="session")
def asker(small_run, digits, forecaster):
    """A server that shows all of these models."""
    from openbook.looking import subject_of

    return Asker([subject_of(small_run), subject_of(digits), subject_of(forecaster)])


@pytest.fixture(scope="session")
def make_asker():
    return Asker


@pytest.fixture(scope="session")
def text_trace(asker):
    """A trace of a text in the small run."""
    return asker.trace("small", {"kind": "text", "text": "the film was good"})
