"""The text generator's pretrained start: LoRA and all weights, the gain, checkpoints, wrong settings."""

import json
import shutil
import signal

import numpy as np
import pytest

import openbook
from llama_samples import CONFIG, write_llama
from openbook.errors import Interrupted, ModelError, RunError, UsageError
from openbook.looking import subject_of
from openbook.recipes import make_recipe
from openbook.recipes.session import resume, train
from openbook.recipes.text_generator import TextGenerator
from openbook.runs import find_run
from openbook.saved_models import load_model
from openbook.training.checkpoint import load_latest, read_arrays, snapshots
from openbook.training.reporter import Reporter

WORDS = ["red", "green", "blue", "old", "new", "cold", "warm"]


class Says(Reporter):
    """Keeps what is said, and presses Ctrl-C after a step."""

    def __init__(self, stop_step=None):
        self.said = []
        self.stop_step = stop_step

    def message(self, text):
        self.said.append(text)

    def step(self, progress):
        if progress.step == self.stop_step:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    rng = np.random.default_rng(1)
    lines = []
    for _ in range(200):
        first, second = rng.choice(WORDS, 2, replace=False)
        lines.append(json.dumps({"body": f"the {first} house near the {second} tree is a {first} house"}))
    (folder / "texts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    write_llama(folder / "llama")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBOOK_RUNS", str(folder / "runs"))
        patch.setenv("OPENBOOK_CACHE", str(folder / "cache"))
        yield folder


def recipe_of(place, **changes):
    settings = {
        "start": str(place / "llama"),
        "data": str(place / "texts.jsonl"),
        "text_column": "body",
        "context_length": 16,
        "batch_size": 8,
        "precision": "float32",
        "learning_rate": 0.01,
        "steps": 40,
    }
    return make_recipe("text-generator", {**settings, **changes})


@pytest.fixture(scope="module")
def trained(place):
    reporter = Says()
    return train(recipe_of(place, lora_rank=4), reporter=reporter, name="lora"), reporter.said


@pytest.mark.long
def test_run_keeps_and_says_the_score_before_training(trained):
    result, said = trained
    untouched = result.run.record["start"]["score"]["bits_per_byte"]
    assert result.score["bits_per_byte"] < untouched - 0.1
    assert any(f"as it comes: {untouched:.3f} bits per byte" in line for line in said)
    now = result.score["bits_per_byte"]
    assert (
        f"Held-out text: {untouched:.3f} bits per byte before training, {now:.3f} bits per byte now" in said
    )
    assert result.run.section("settings")["num_blocks"] == 2
    assert result.run.section("settings")["size"] == "pretrained"


@pytest.mark.long
def test_checkpoints_of_lora_hold_nothing_but_its_weights(trained):
    run = trained[0].run
    arrays, _ = load_latest(run.checkpoints)
    assert len(arrays["trainable"]) == 2 * 2 * 7
    assert all(4 in array.shape for array in arrays["trainable"])
    assert "non_trainable" not in arrays
    # Two moments for each weight, the iteration and the rate.
    assert len(arrays["optimizer"]) == 2 * len(arrays["trainable"]) + 2


@pytest.mark.long
def test_page_sees_the_whole_model_at_each_checkpoint(trained):
    run = trained[0].run
    subject = subject_of(run)
    shapes = [tuple(variable.shape) for variable in subject.model.trainable_variables]
    by_step = {each.step: each.load() for each in subject.checkpoints()}
    for weights in by_step.values():
        assert [tuple(np.shape(array)) for array in weights.trainable] == shapes
        assert weights.non_trainable == []
    kept = by_step[run.section("actual")["kept_step"]].trainable
    for array, variable in zip(kept, subject.model.trainable_variables, strict=True):
        np.testing.assert_allclose(np.asarray(array), np.asarray(variable), rtol=1e-5, atol=1e-6)
    optimizer, note = subject.training().optimizer, subject.training().note
    assert "LoRA" in note
    assert optimizer is not None


@pytest.mark.long
def test_story_shows_values_that_are_there(trained):
    run = trained[0].run
    names = openbook.trace(load_model(run.model_path), TextGenerator.model_inputs(run, None)).names()
    for stage in TextGenerator.story(run)["stages"]:
        for value in stage["values"]:
            assert value.replace("{block}", "block_2") in names


@pytest.mark.long
def test_all_weights_can_be_trained_and_resumed(place):
    with pytest.raises(Interrupted):
        train(recipe_of(place, lora_rank=0, steps=12), reporter=Says(stop_step=5), name="stopped")
    run = find_run("stopped")
    model = load_model(run.model_path)
    assert len(model.trainable_variables) == len(model.variables)
    result = resume(run, reporter=Says())
    whole = train(recipe_of(place, lora_rank=0, steps=12), reporter=Says(), name="whole")
    assert result.score == pytest.approx(dict(whole.score), rel=1e-6)
    arrays, _ = load_latest(run.checkpoints)
    assert [array.shape for array in arrays["trainable"]] == [tuple(v.shape) for v in model.variables]
    assert result.run.record["start"]["score"] == whole.run.record["start"]["score"]


@pytest.mark.long
def test_stopped_lora_run_leaves_a_model_that_writes(place):
    with pytest.raises(Interrupted):
        train(recipe_of(place, steps=12), reporter=Says(stop_step=5), name="stopped-lora")
    run = find_run("stopped-lora")
    assert "".join(TextGenerator.use(run, "the red", max_tokens=5, temperature=0.0)) is not None
    saved, untouched = load_model(run.model_path), TextGenerator.build_for(run)
    assert [v.path for v in saved.variables] == [v.path for v in untouched.variables]
    assert not np.array_equal(
        *(np.asarray(model.get_layer("block_1").weights[1]) for model in (saved, untouched))
    )
    assert snapshots(run.checkpoints) == {} or read_arrays(next(iter(snapshots(run.checkpoints).values())))


@pytest.mark.long
def test_run_does_not_go_on_from_another_checkpoint(place, tmp_path):
    other = shutil.copytree(place / "llama", tmp_path / "llama")
    with pytest.raises(Interrupted):
        train(recipe_of(place, start=str(other), steps=12), reporter=Says(stop_step=3), name="other")
    write_llama(other, seed=1)
    from openbook.pretrained import start

    start._loaded.clear()
    with pytest.raises(RunError, match="is not what other was begun with"):
        resume(find_run("other"), reporter=Says())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": "smolm2"}, "Did you mean smollm2"),
        ({"start": "smollm2", "size": "small"}, "--size cannot be chosen with --start smollm2"),
        ({"start": "smollm2", "width": 64, "num_blocks": 2}, "--num-blocks, --width cannot be chosen"),
        ({"start": "smollm2", "tied_output": True}, "--tied-output cannot be chosen"),
        ({"start": "smollm2", "lora_rank": -1}, "--lora-rank must be 0"),
        ({"start": "smollm2", "optimizer": "muon"}, "fine-tuned with AdamW"),
        ({"lora_rank": 4}, "--lora-rank is for a pretrained model"),
        ({"size": "pretrained"}, "--size must be auto"),
    ],
)
def test_wrong_setting_is_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        make_recipe("text-generator", settings)


def test_longer_context_than_the_model_knows_is_refused(place):
    recipe = recipe_of(place, context_length=65)
    with pytest.raises(UsageError, match="choose at most 64"):
        recipe.resolve(recipe.load_data(Reporter()))


def test_folder_that_is_none_is_refused_before_the_data_is_read(place, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, "architectures": ["BertModel"]}))
    with pytest.raises(ModelError, match="BertModel"):
        recipe_of(place, start=str(tmp_path), data="/no/such/data").load_data(Reporter())


def test_settings_that_need_less_are_offered(place):
    recipe = recipe_of(place, lora_rank=0, learning_rate=None)
    resolved = recipe.resolve(recipe.load_data(Reporter()))
    changes = [resolved.changes_to(smaller) for smaller in resolved.smaller()]
    assert changes[0]["lora_rank"] == 8
    assert {"batch_size": 4} in changes
