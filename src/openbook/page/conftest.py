"""Models to look at, and a client that asks their server what the page would ask."""

import json
import os
import random

import numpy as np
import pytest

SETTINGS = {
    "size": "tiny",
    "width": 32,
    "num_heads": 2,
    "num_blocks": 2,
    "vocabulary_size": 300,
    "context_length": 32,
    "batch_size": 4,
    "precision": "float32",
    "steps": 8,
}
WORDS = (
    "the",
    "a",
    "film",
    "story",
    "plot",
    "actor",
    "was",
    "is",
    "not",
    "very",
    "good",
    "bad",
    "and",
    "but",
)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
PORT = 8000
TOKEN = "the-token"


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """A text generator, trained for a moment on texts of which some are HTML."""
    from openbook.recipes import make_recipe
    from openbook.recipes.session import train
    from openbook.training.reporter import Reporter

    folder = tmp_path_factory.mktemp("page")
    texts = random.Random(0)
    (folder / "texts").mkdir()
    for number in range(60):
        text = " ".join(texts.choice(WORDS) for _ in range(60))
        (folder / "texts" / f"{number}.txt").write_text(f"{text} {HOSTILE}", encoding="utf-8")
    names = {"OPENBOOK_RUNS": str(folder / "runs"), "OPENBOOK_CACHE": str(folder / "cache")}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        recipe = make_recipe("text-generator", {**SETTINGS, "data": str(folder / "texts")})
        yield train(recipe, reporter=Reporter(), name="small").run
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


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


@pytest.fixture
def make_asker():
    return Asker


@pytest.fixture(scope="session")
def text_trace(asker):
    """A trace of a text in the small run."""
    return asker.trace("small", {"kind": "text", "text": "the film was good"})
