"""What every lens keeps to, over all that are registered and some small models."""

import json

import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.lenses import Examples, Question, all_lenses, lens_named
from openbook.lenses.confusion import confusion_of
from openbook.lenses.folds import FoldErrors
from openbook.lenses.forecast_errors import errors_of
from openbook.lenses.lens import TAKES
from openbook.lenses.masks import masks_of
from openbook.lenses.residuals import Residuals

MODELS = ("convnet", "nested", "sequential", "series", "table", "text")
PICTURES = {"convnet", "nested", "sequential"}
# Lenses of runs: any model may come from one.
OF_RUNS = {name for name, lens in all_lenses().items() if lens.takes & {"finding", "runs"}}
# Which of the small models each of the others fits.
FITS = {
    "activations": PICTURES,
    "embedding-neighbours": {"text"},
    "filters": PICTURES,
    "grad-cam": PICTURES,
    "gates": {"series"},
    "permuted-columns": {"table"},
    "pixel-gradients": PICTURES,
    "word-gradients": {"text"},
}


def findings():
    """What recipes make of held-out examples, by lens."""
    rng = np.random.default_rng(0)
    classes_N = rng.integers(0, 3, 30)
    numbers_N = rng.normal(size=30)
    masks_NHW = rng.integers(0, 2, (5, 8, 8))
    return {
        "confusion": confusion_of(rng.normal(size=(30, 3)), classes_N, ["cat", "dog", "$x_"]),
        "folds": FoldErrors(errors=[numbers_N[:15], numbers_N[15:]], unit="k$"),
        "forecast-errors": errors_of(
            observed_N=numbers_N,
            forecast_N=numbers_N + 0.1,
            naive_N=numbers_N - 0.2,
            stamps_N=np.arange(30) * 3_600_000_000,
            series_N=np.zeros(30, int),
            name="warmth",
            unit="K",
            ahead="1 hour",
            naive_words="the last value",
        ),
        "masks": masks_of(rng.normal(size=(5, 8, 8, 2)), masks_NHW, ("a", "b")),
        "residuals": Residuals(
            predicted_N=numbers_N + 0.1, observed_N=numbers_N, target="price", unit="k$", guess=0.0
        ),
    }


def question(model, inputs):
    def score(outputs, targets):
        return float(np.abs(outputs[:, 0] - targets).mean())

    examples = Examples(
        inputs_NF=inputs, targets_N=inputs.reshape(len(inputs), -1)[:, 0], score=score, score_name="error"
    )
    return Question(model=model, inputs=inputs, examples=lambda: examples)


def numbers_in(content):
    if isinstance(content, dict):
        return [number for value in content.values() for number in numbers_in(value)]
    if isinstance(content, list):
        return [number for value in content for number in numbers_in(value)]
    return [content] if isinstance(content, int | float) else []


@pytest.mark.parametrize("model_name", MODELS)
@pytest.mark.parametrize("name", FITS)
def test_lens_fits_or_says_why_not(lens_models, name, model_name):
    lens = all_lenses()[name]
    model, inputs = lens_models[model_name]
    reason = lens.fits(model)
    assert (reason is None) == (model_name in FITS[name])
    if reason is not None:
        with pytest.raises(UsageError, match=reason[:12]):
            lens.read(question(model, inputs))


@pytest.mark.parametrize(
    ("name", "model_name"),
    [(name, model) for name, models in FITS.items() for model in sorted(models)],
)
def test_lens_gives_numbers_a_text_and_a_picture(lens_models, tmp_path, name, model_name):
    lens = lens_named(name)
    check_found(lens, lens.read(question(*lens_models[model_name])), tmp_path)


def test_every_lens_is_tried():
    assert set(all_lenses()) == set(FITS) | OF_RUNS
    assert set(findings()) | {"learning-curves"} == OF_RUNS


@pytest.mark.parametrize("name", findings())
def test_finding_of_a_recipe_is_told_and_drawn(tmp_path, name):
    lens = lens_named(name)
    found = findings()[name]
    assert lens.read(Question(finding=lambda: found)) is found
    check_found(lens, found, tmp_path)
    with pytest.raises(UsageError, match="of a run"):
        lens.read(Question())


def check_found(lens, found, folder):
    content = found.to_dict()
    json.dumps(content)
    numbers = numbers_in(content)
    assert numbers
    assert np.isfinite(numbers).all()
    assert len(found.text()) > 20
    path = folder / "new" / f"{lens.name}.png"
    lens.draw(found, path)
    assert path.stat().st_size > 2000


@pytest.mark.parametrize("name", all_lenses())
def test_lens_says_what_it_is(name):
    lens = all_lenses()[name]
    assert lens.name == name
    assert lens.title
    assert lens.says
    assert lens.source
    assert lens.takes <= TAKES
    assert ("layer" in lens.takes) == (lens.layers is not None)


@pytest.mark.parametrize("name", ["activations", "embedding-neighbours", "filters", "gates", "grad-cam"])
def test_layers_to_choose_from_are_those_that_can_be_read(lens_models, name):
    lens = lens_named(name)
    model, inputs = lens_models[sorted(FITS[name])[0]]
    for layer in lens.layers(model):
        assert lens.read(Question(model=model, inputs=inputs, layer=layer)).text()


def test_unknown_lens_gets_a_suggestion():
    with pytest.raises(UsageError, match="Did you mean grad-cam"):
        lens_named("gradcam")


@pytest.mark.parametrize("name", ["activations", "filters", "grad-cam"])
def test_unknown_layer_is_answered_with_those_there_are(lens_models, name):
    model, inputs = lens_models["nested"]
    with pytest.raises(UsageError, match="backbone/convolution"):
        lens_named(name).read(Question(model=model, inputs=inputs, layer="nowhere"))


@pytest.mark.parametrize("name", ["activations", "grad-cam", "pixel-gradients"])
def test_missing_input_is_asked_for(lens_models, name):
    with pytest.raises(UsageError, match="needs an input"):
        lens_named(name).read(Question(model=lens_models["convnet"][0]))
