"""The digits from scratch: the same loop, run and answers as with Keras; the dropout that each net has."""

import numpy as np
import pytest
from PIL import Image

from openbook.errors import UsageError
from openbook.recipes import make_recipe
from openbook.recipes.digits import Digits
from openbook.recipes.session import train
from openbook.runs import find_run
from openbook.training.reporter import Reporter


@pytest.fixture(scope="module")
def strokes(tmp_path_factory):
    """Pictures of standing and of lying strokes, a folder for each."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("strokes")
    for name in ("lying", "standing"):
        (folder / name).mkdir()
        for number in range(60):
            picture = rng.integers(60, size=(28, 28)).astype(np.uint8)
            place, begin = rng.integers(8, 20), rng.integers(2, 6)
            picture[place : place + 2, begin : begin + 20] = 255
            Image.fromarray(picture if name == "lying" else picture.T).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(autouse=True)
def own_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / "runs"))


@pytest.mark.long
@pytest.mark.parametrize("model", ["dense", "convnet"])
def test_digits_from_scratch_are_a_run_like_any_other(model, strokes):
    settings = {"data": str(strokes), "model": model, "side": 16, "num_filters": 4, "steps": 150}
    settings |= {"batch_size": 16, "learning_rate": 0.01, "from_scratch": True}
    run = train(make_recipe("digits", settings), reporter=Reporter(), name=model).run
    assert run.section("score")["accuracy"] > 0.8
    steps = [row["step"] for row in run.metrics() if "loss" in row]
    assert steps[-1] == 150
    answer = Digits.answer(find_run(model), str(strokes / "lying" / "0.png"))
    assert answer["answer"] == "lying"


@pytest.mark.parametrize(("name", "message"), [("dropout", "no dropout"), ("weight_decay", "no decay")])
def test_what_scratch_does_not_have_is_refused(name, message):
    with pytest.raises(UsageError, match=message):
        make_recipe("digits", {"from_scratch": True, name: 0.5})


@pytest.mark.parametrize(
    ("settings", "dropout"),
    [
        ({"model": "dense"}, 0.0),
        ({"model": "convnet"}, 0.25),
        ({"model": "dense", "dropout": 0.4}, 0.4),
        ({"model": "convnet", "dropout": 0.0}, 0.0),
        ({"model": "convnet", "from_scratch": True}, 0.0),
    ],
)
def test_each_net_has_its_dropout(settings, dropout, strokes):
    recipe = make_recipe("digits", {"data": str(strokes), "steps": 1, **settings})
    data = recipe.load_data(Reporter())
    resolved = recipe.resolve(data)
    assert resolved.dropout == dropout
    names = [layer.name for layer in resolved.build_model(resolved.split(data).facts).layers]
    assert ("dropout" in names) == (dropout > 0.0)
    assert ("normalization_1" in names) == (settings["model"] == "convnet" and "from_scratch" not in settings)
