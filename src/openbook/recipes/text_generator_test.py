"""The text generator: causality, training on own texts, what a run holds, wrong settings."""

import dataclasses
import json
import math

import numpy as np
import pytest

from openbook.errors import RunError, UsageError
from openbook.recipes import make_recipe, text_scratch
from openbook.recipes.session import resume, train
from openbook.recipes.text_generator import TextGenerator
from openbook.recipes.text_scratch import SIZES, build_decoder, suitable_vocabulary_size
from openbook.recipes.text_task import TextData
from openbook.runs import find_run
from openbook.text.sampling import Decoding
from openbook.training.reporter import Reporter

TINY = {
    "size": "tiny",
    "width": 32,
    "num_blocks": 2,
    "vocabulary_size": 400,
    "context_length": 16,
    "batch_size": 8,
    "precision": "float32",
}
WORDS = ["red", "green", "blue", "old", "new", "cold", "warm"]


def sized(**changes):
    small = {"num_blocks": 2, "width": 32, "feed_forward_units": 64}
    return make_recipe("text-generator", {**SIZES["tiny"], **small, "precision": "float32", **changes})


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Sentences that a small model can learn: the colour is repeated at the end."""
    rng = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("texts") / "sentences.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for _ in range(400):
            first, second = rng.choice(WORDS, 2, replace=False)
            number = rng.integers(1000)
            text = f"the {first} house number {number} near the {second} tree is a {first} house"
            file.write(json.dumps({"id": int(number), "body": text}) + "\n")
    return path


@pytest.fixture(scope="module")
def trained(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBOOK_RUNS", str(folder / "runs"))
        patch.setenv("OPENBOOK_CACHE", str(folder / "cache"))
        recipe = make_recipe(
            "text-generator", {**TINY, "data": str(texts), "text_column": "body", "steps": 300}
        )
        return train(recipe, reporter=Reporter())


@pytest.mark.parametrize("tied_output", [False, True])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_logits_do_not_depend_on_later_tokens(tied_output, precision, rng):
    model = build_decoder(sized(tied_output=tied_output, precision=precision), vocabulary_size=300)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) * 0.3)
    tokens = rng.integers(300, size=(1, 24))
    logits = np.asarray(model(tokens))
    for position in (0, 7, 22):
        other = tokens.copy()
        other[:, position + 1 :] = (other[:, position + 1 :] + 1 + rng.integers(298)) % 300
        changed = np.asarray(model(other))
        np.testing.assert_array_equal(logits[:, : position + 1], changed[:, : position + 1])
        assert np.abs(logits[:, position + 1 :] - changed[:, position + 1 :]).max() > 1e-3


def test_model_has_textbook_names():
    model = build_decoder(sized(), vocabulary_size=300)
    assert [layer.name for layer in model.layers] == [
        "tokens",
        "token_embedding",
        "block_1",
        "block_2",
        "final_norm",
        "next_token_logits",
    ]
    paths = {variable.path for variable in model.trainable_variables}
    assert {"block_1/attention/query/kernel", "block_2/feed_forward/expand/kernel"} <= paths


@pytest.mark.long
def test_model_learns_and_the_score_says_so(trained):
    # A byte-unigram model needs about 4 bits for such text; a third of it is random digits and names.
    assert trained.score["bits_per_byte"] < 1.2
    assert trained.score["perplexity"] == pytest.approx(np.exp(trained.score["loss"]))
    losses = [row["loss"] for row in trained.run.metrics() if "loss" in row]
    assert losses[-1] < losses[0] / 2
    assert trained.steps == 300
    assert len(trained.samples) == 3
    assert all(trained.samples)


@pytest.mark.long
def test_run_holds_all_that_is_needed(trained):
    run = find_run(str(trained.run.path))
    run.verify()
    assert run.status == "complete"
    assert run.section("settings")["context_length"] == 16
    assert run.section("data")["origin"]["kind"]
    assert run.section("data")["report"]["num_documents"] > 100
    assert run.section("actual")["steps"] == 300
    assert {"model.keras", "tokenizer.json", "metrics.jsonl", "samples"} <= {
        path.name for path in run.path.iterdir()
    }


@pytest.mark.long
def test_run_writes_on_from_a_prompt_and_repeats_itself_with_the_same_seed(trained):
    def write(**options):
        return "".join(TextGenerator.use(trained.run, "the red house", **options))

    greedy = write(temperature=0.0, repetition_penalty=1.0, max_tokens=40)
    assert " number " in greedy
    assert write(seed=1) == write(seed=1)
    assert len({write(seed=seed) for seed in range(4)}) > 1


@pytest.mark.long
def test_copied_run_works_elsewhere(trained, tmp_path):
    import shutil

    copy = shutil.copytree(trained.run.path, tmp_path / "copied")
    options = dataclasses.asdict(Decoding(max_tokens=20))
    assert "".join(TextGenerator.use(find_run(str(copy)), "the", **options)) == "".join(
        TextGenerator.use(trained.run, "the", **options)
    )


@pytest.mark.long
def test_tampered_model_is_refused(trained, tmp_path):
    import shutil

    copy = shutil.copytree(trained.run.path, tmp_path / "tampered")
    content = bytearray((copy / "model.keras").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (copy / "model.keras").write_bytes(content)
    with pytest.raises(RunError, match=r"model\.keras"):
        "".join(TextGenerator.use(find_run(str(copy)), "the"))


@pytest.mark.long
def test_writing_with_the_cache_equals_the_whole_model(trained):
    """Greedy text by the compiled loop is the arg-max of the model over the same tokens."""
    import keras

    import openbook.layers  # noqa: F401
    from openbook.text.generation import TextWriter
    from openbook.text.tokenizer import Tokenizer

    model = keras.saving.load_model(trained.run.model_path)
    tokenizer = Tokenizer.load(trained.run.path / "tokenizer.json")
    writer = TextWriter(model, tokenizer, context_length=16)
    prompt = "the red"
    ids = [tokenizer.end_of_text, *tokenizer.encode(prompt)]
    num_new = 16 - len(ids)
    for _ in range(num_new):
        # One length for all, for each is compiled by itself; no position sees what comes after it.
        padded = np.array([ids + [0] * (16 - len(ids))])
        ids.append(int(np.argmax(np.asarray(model(padded))[0, len(ids) - 1])))
    decoding = Decoding(temperature=0.0, repetition_penalty=1.0, max_tokens=num_new)
    assert prompt + writer.text(prompt, decoding) == tokenizer.decode(ids)


@pytest.mark.long
def test_complete_run_is_not_resumed(trained):
    with pytest.raises(RunError, match="complete"):
        resume(trained.run, reporter=Reporter())


@pytest.mark.long
def test_changed_data_is_refused_on_resume(trained, texts, tmp_path):
    import shutil

    copy = shutil.copytree(trained.run.path, tmp_path / "unfinished")
    (copy / "manifest.json").unlink()
    record = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    other = tmp_path / "other.txt"
    other.write_text("one text\n\nanother text\n\na third text", encoding="utf-8")
    record["settings"]["data"], record["settings"]["text_column"] = str(other), None
    record["status"] = "interrupted"
    (copy / "run.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(RunError, match="not what unfinished was begun with"):
        resume(find_run(str(copy)), reporter=Reporter())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": "giant"}, "auto, tiny, small, medium, large, huge"),
        ({"vocabulary_size": 100}, "at least 257"),
        ({"width": 30, "num_heads": 4}, "multiple of twice"),
        ({"batch_size": 0}, "--batch-size must be a number above zero"),
        ({"budget": "0"}, "90s"),
        ({"budget": "10m", "steps": 5}, "exactly one"),
        ({"steps": -1}, "--steps must be above zero"),
        ({"precision": "int4"}, "auto, float32 or bfloat16"),
        ({"held_out_share": 1.0}, "between 0 and 1"),
        ({"seed": -1}, "--seed"),
        ({"widht": 3}, "Did you mean width"),
        ({"batch_size": "many"}, "'batch_size' is a whole number"),
        ({"tied_output": "maybe"}, "'tied_output' is true or false"),
        ({"learning_rate": math.inf}, "--learning-rate must be a number above zero"),
        ({"weight_decay": -1.0}, "--weight-decay"),
        ({"weight_decay": math.nan}, "--weight-decay"),
        ({"warm_up_share": 2.0}, "--warm-up-share"),
        ({"decay_share": 0.0}, "--decay-share"),
        ({"decay_share": math.nan}, "--decay-share"),
    ],
)
def test_wrong_setting_is_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        make_recipe("text-generator", settings)


@pytest.mark.parametrize(
    ("length", "size"),
    [
        ({"budget": "90s"}, "tiny"),
        ({"budget": "10m"}, "tiny"),
        ({"budget": "1h"}, "small"),
        ({"budget": "3h"}, "medium"),
        ({"budget": "48h"}, "large"),
        ({"steps": 9}, "tiny"),
    ],
)
def test_automatic_size_suits_the_budget(length, size, monkeypatch):
    monkeypatch.setattr(text_scratch, "remembered_gflops", lambda **_: 110.0)
    data = TextData(documents=None, train_texts=("text",), held_out_texts=("text",))
    assert make_recipe("text-generator", length).resolve(data).size == size


@pytest.mark.parametrize(
    ("gflops", "size"), [(20.0, "tiny"), (300.0, "small"), (3000.0, "medium"), (9e4, "large")]
)
def test_automatic_size_suits_the_machine(gflops, size, monkeypatch):
    monkeypatch.setattr(text_scratch, "remembered_gflops", lambda **_: gflops)
    data = TextData(documents=None, train_texts=("text",), held_out_texts=("text",))
    assert make_recipe("text-generator", {"budget": "8m"}).resolve(data).size == size


def test_vocabulary_grows_with_the_text():
    sizes = [suitable_vocabulary_size(10**power) for power in range(3, 9)]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 16384
