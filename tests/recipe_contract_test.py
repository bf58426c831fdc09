"""The contracts of the recipes: each trains on own data, tells beforehand, resumes, answers, opens like a book."""

import base64
import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

import openbook
from openbook.errors import DataError, Interrupted, OpenbookError
from openbook.lenses import all_lenses
from openbook.looking import subject_of
from openbook.page.inputs.images import ImageReader
from openbook.page.inputs.line import LineReader
from openbook.page.inputs.words import WordsReader
from openbook.page.traces import Library
from openbook.recipes import all_recipes, make_recipe, recipe_class
from openbook.recipes.recipe_forecast import forecast_settings
from openbook.recipes.session import resume, train
from openbook.recipes.supervised import SupervisedRecipe
from openbook.runs import find_run
from openbook.saved_models import load_model
from openbook.training.checkpoint import load_latest
from openbook.training.reporter import Reporter
from page_types import check_type
from recipe_samples import SAMPLES

pytestmark = pytest.mark.long

NUM_STEPS = 8


class StopsAt(Reporter):
    """Somebody presses Ctrl-C after a step."""

    def __init__(self, step):
        self.stop_step = step

    def step(self, progress):
        if progress.step == self.stop_step:
            raise KeyboardInterrupt


@pytest.fixture(scope="module", params=list(all_recipes()))
def name(request):
    return request.param


@pytest.fixture(scope="session")
def kept():
    """Folder, sample and runs of each recipe: tests of several recipes may come in any order."""
    return {}


@pytest.fixture(scope="module")
def place(tmp_path_factory, name, kept):
    """A recipe's sample, with folders of its own for runs and cache."""
    if name not in kept:
        kept[name] = {"folder": tmp_path_factory.mktemp(name)}
    folder = kept[name]["folder"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBOOK_RUNS", str(folder / "runs"))
        patch.setenv("OPENBOOK_CACHE", str(folder / "cache"))
        assert name in SAMPLES, f"{name} has no sample in tests/recipe_samples.py"
        if "sample" not in kept[name]:
            kept[name]["sample"] = SAMPLES[name](folder)
        yield kept[name]["sample"]


@pytest.fixture(scope="module")
def results(name, place, kept):
    """A finished run of each variant."""
    if "results" not in kept[name]:
        settings_of = [{**each, "data": str(place.data), "steps": NUM_STEPS} for each in place.settings]
        kept[name]["results"] = [train(make_recipe(name, each), reporter=Reporter()) for each in settings_of]
    return kept[name]["results"]


def test_settings_say_what_they_are(name):
    recipe = recipe_class(name)
    assert recipe.title
    assert recipe.learns
    assert (recipe.__doc__ or "").strip().endswith(".")
    for field in dataclasses.fields(recipe):
        assert len(str(field.metadata["help"])) > 10, field.name


def test_run_has_score_report_forecast_and_what_happened(results):
    for result in results:
        record = result.run.record
        assert result.run.is_complete
        assert all(math.isfinite(value) for value in result.score.values())
        assert {"accuracy", "mae", "iou", "bits_per_byte"} & set(result.score)
        assert record["data"]["report"]
        assert record["data"]["fingerprint"]
        assert record["forecast"]["time_s"]["actual"] > 0
        assert record["forecast"]["time_s"]["low"] <= record["forecast"]["time_s"]["high"]


def test_interrupted_run_ends_as_one_that_was_not(name, place, results):
    for settings, whole in zip(place.settings, results, strict=True):
        recipe = make_recipe(name, {**settings, "data": str(place.data), "steps": NUM_STEPS})
        with pytest.raises(Interrupted):
            train(recipe, reporter=StopsAt(3), name="stopped")
        run = find_run("stopped")
        recipe_class(name).build_for(run)
        result = resume(run, reporter=Reporter())
        assert result.score == pytest.approx(dict(whole.score), rel=1e-6)
        for group, arrays in load_latest(whole.run.checkpoints)[0].items():
            for one, other in zip(arrays, load_latest(result.run.checkpoints)[0][group], strict=True):
                np.testing.assert_array_equal(one, other)
        result.run.path.rename(result.run.path.with_name(f"stopped-{len(settings)}-{id(settings)}"))


def test_forecast_runs_nothing_and_tells_the_steps(name, place):
    for settings in place.settings:
        told = forecast_settings(
            name,
            {**settings, "data": str(place.data), "steps": NUM_STEPS},
            reporter=Reporter(),
            level="profile",
        )
        assert told.forecast.num_steps == NUM_STEPS
        assert told.forecast.time_s.middle > 0


def test_run_answers_what_a_person_gives(results, place):
    for result in results:
        recipe = recipe_class(result.run.recipe)
        answer = recipe.answer(result.run, place.given)
        assert str(answer["answer"])
        assert json.loads(json.dumps(answer)) == answer
        assert "".join(recipe.use(result.run, place.given))


def test_every_value_of_the_run_agrees_with_numpy(results):
    for result in results:
        recipe = recipe_class(result.run.recipe)
        model = load_model(result.run.model_path)
        trace = openbook.trace(model, recipe.model_inputs(result.run, None))
        assert trace.check().largest < 1e-4


def test_run_becomes_a_numpy_program(results, place):
    for result in results:
        recipe = recipe_class(result.run.recipe)
        inputs = recipe.model_inputs(result.run, place.given)
        text = openbook.to_numpy(load_model(result.run.model_path), inputs)
        compile(text, "model.py", "exec")
        assert "import keras" not in text


def test_page_reads_the_run_and_takes_a_step(results):
    for result in results:
        subject = subject_of(result.run)
        assert subject.reader.example().arrays is not None
        assert subject.examples
        assert subject.training is not None
        assert subject.training().optimizer is not None


def test_page_brings_a_picture_into_the_form_of_training(results, place):
    for result in results:
        reader = subject_of(result.run).reader
        if not isinstance(reader, ImageReader):
            continue
        content = base64.b64encode(Path(place.given).read_bytes()).decode()
        read = reader.read({"picture": f"data:image/png;base64,{content}", "settings": {}})
        expected = recipe_class(result.run.recipe).model_inputs(result.run, place.given)
        # Training keeps whole numbers 0…255, the page what scaling makes of them.
        step = 255.0 if expected.max() > 1.0 else 1.0
        np.testing.assert_allclose(read.arrays, expected, atol=0.51 * step / 255.0)


def test_page_reads_what_a_person_types_as_the_shell_does(results, place):
    for result in results:
        subject = subject_of(result.run)
        if not isinstance(subject.reader, WordsReader | LineReader):
            continue
        given = Path(place.given).read_text("utf-8") if Path(place.given).is_file() else place.given
        read = subject.reader.read({"text": given})
        expected = recipe_class(result.run.recipe).model_inputs(result.run, place.given)
        names = [tensor.name for tensor in subject.model.inputs]
        in_order = [expected[name] for name in names] if isinstance(expected, dict) else [expected]
        got = read.arrays if isinstance(read.arrays, list) else [read.arrays]
        for one, other in zip(got, in_order, strict=True):
            np.testing.assert_array_equal(one, other)
        library = Library([subject])
        (model_id,) = library.subjects
        request = {"input": {"kind": subject.reader.spec()["kind"], "text": given}}
        info = library.make(model_id, request, lambda stage, message: None)
        assert info["answer"]
        check_type(subject.reader.spec(), "InputSpec")
        check_type(read.preview, "InputPreview")
        for name in names:
            value = info["values"][f"input/{name}"]
            assert value["labels"][-1] == ("tokens" if read.token_ids is not None else "columns")
            if read.token_ids is not None:
                assert value["shape"] == [1, len(read.token_ids)]
        with pytest.raises(OpenbookError):
            subject.reader.read({"text": " "})


def test_lenses_on_the_page_see_what_the_run_was_scored_by(results):
    for result in results:
        library = Library([subject_of(result.run)])
        (model_id,) = library.subjects
        example = {"kind": "example", "id": "example-1"}
        seen = {}
        for info in library.lenses(model_id):
            reads = all_lenses()[info["name"]].takes & {"finding", "row_names", "runs"}
            if info["why_not"] is None and (reads or info["name"] == "gates"):
                request = {"input": example, "settings": {}}
                view = library.look_through(model_id, info["name"], request, lambda stage, message: None)
                seen[info["name"]] = view["numbers"]
                assert view["pictures"][0]["picture"].startswith("data:image/png")
                assert view["text"]
        assert "learning-curves" in seen
        if "confusion" in seen:
            assert seen["confusion"]["accuracy"] == pytest.approx(result.score["accuracy"])
        for lens, score in (("residuals", "held_out_mae"), ("folds", "mae"), ("forecast-errors", "mae")):
            if lens in seen:
                expected = result.score.get(score, result.score["mae"])
                assert seen[lens]["mae"] == pytest.approx(expected, rel=1e-4)
        if issubclass(recipe_class(result.run.recipe), SupervisedRecipe):
            assert {"confusion", "residuals", "forecast-errors", "masks"} & set(seen)


def test_data_that_teaches_nothing_is_refused_with_a_way_out(name, place):
    for settings in place.settings:
        recipe = make_recipe(name, {**settings, "data": str(place.broken), "steps": NUM_STEPS})
        with pytest.raises(DataError) as told:
            recipe.load_data(Reporter())
        assert len(str(told.value)) > 40
