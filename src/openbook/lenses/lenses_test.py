"""What every lens keeps to, over all that are registered and some small models."""

import json

import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.lenses import Examples, Question, all_lenses, lens_named

MODELS = ("convnet", "nested", "sequential", "table", "text")
PICTURES = {"convnet", "nested", "sequential"}
# Which of the small models each lens fits; learning-curves are of runs, and tried on their own.
FITS = {
    "activations": PICTURES,
    "embedding-neighbours": {"text"},
    "filters": PICTURES,
    "grad-cam": PICTURES,
    "learning-curves": set(MODELS),
    "permuted-columns": {"table"},
    "pixel-gradients": PICTURES,
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
@pytest.mark.parametrize("name", all_lenses())
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
    [(name, model) for name, models in FITS.items() if name != "learning-curves" for model in sorted(models)],
)
def test_lens_gives_numbers_a_text_and_a_picture(lens_models, tmp_path, name, model_name):
    lens = lens_named(name)
    found = lens.read(question(*lens_models[model_name]))
    content = found.to_dict()
    json.dumps(content)
    numbers = numbers_in(content)
    assert numbers
    assert np.isfinite(numbers).all()
    assert len(found.text()) > 20
    path = tmp_path / "new" / f"{name}.png"
    lens.draw(found, path)
    assert path.stat().st_size > 2000


@pytest.mark.parametrize("name", all_lenses())
def test_lens_says_what_it_is(name):
    lens = all_lenses()[name]
    assert lens.name == name
    assert lens.title
    assert lens.says
    assert lens.source
    assert lens.takes <= {"inputs", "word", "layer", "class_name", "examples", "runs"}


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
