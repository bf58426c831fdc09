"""State, examples, runs, previews, traces and draws, each against its type and against the truth."""

import json
import threading
import time

import numpy as np
import pytest

import openbook
from openbook.looking import subject_of
from openbook.page.jobs import Cancelled, Job
from openbook.page.traces import Library
from openbook.text.sampling import Decoding
from page_types import check_type

TEXT = {"kind": "text", "text": "the film was good"}
# Padding changes the order in which sums are made.
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


def test_state_tells_each_model(asker):
    state = asker.json("state")
    check_type(state, "State")
    assert [model["id"] for model in state["models"]] == ["small", "digits", "forecaster"]
    assert [model["input"]["kind"] for model in state["models"]] == ["text", "image", "arrays"]
    small = state["models"][0]
    assert small["can_draw"] and small["can_step"] and small["has_run"] and small["has_examples"]
    assert [checkpoint["step"] for checkpoint in small["checkpoints"]] == [2, 4, 6, 8]
    assert len(small["story"]["stages"]) == 9


def test_models_of_one_name_get_addresses_of_their_own(make_asker, digits):
    asker = make_asker([subject_of(digits), subject_of(digits)])
    assert [model["id"] for model in asker.json("state")["models"]] == ["digits", "digits-2"]


def test_run_tells_all_that_is_known(asker, small_run):
    info = asker.json("models/small/run")
    check_type(info, "RunInfo")
    assert info["metrics"] == small_run.metrics()
    assert info["score"] == small_run.section("score")
    assert info["data"]["source"].endswith("texts")
    assert asker.get("models/digits/run").status_code == 404


def test_examples_are_held_out_texts_with_mistakes_first(asker):
    examples = asker.json("models/small/examples")
    check_type(examples, "Example[]")
    assert examples
    order = [example["is_mistake"] for example in examples]
    assert order == sorted(order, reverse=True)
    example = examples[0]
    info = asker.trace("small", {"kind": "example", "id": example["id"]})
    assert info["input"]["text"] == example["text"]
    # The same answer as when the example was written.
    assert info["answer"][0]["label"] == example["answer"]


def test_preview_shows_the_tokens_and_traces_nothing(asker):
    answer = asker.post("models/small/preview", {"input": {"kind": "text", "text": "the film\n"}})
    preview = answer.json()
    check_type(preview, "InputPreview")
    assert "".join(token["text"] for token in preview["tokens"][1:]) == "the film\n"
    assert preview["tokens"][0]["shown"] == "<end of text>"
    assert "↵" in preview["tokens"][-1]["shown"]


def test_text_too_long_is_cut_and_said_so(asker):
    preview = asker.post("models/small/preview", {"input": {"kind": "text", "text": "the film " * 50}}).json()
    assert len(preview["tokens"]) == 32
    assert "32 tokens" in preview["notes"][0]


def test_trace_of_a_text_is_the_trace_of_its_own_tokens_alone(asker, small_run, text_trace):
    check_type(text_trace, "TraceInfo")
    ids = [[token["id"] for token in text_trace["input"]["tokens"]]]
    from openbook.saved_models import load_model

    truth = openbook.trace(load_model(small_run.model_path), np.array(ids, np.int32))
    assert list(text_trace["values"]) == truth.names()
    for name, info in text_trace["values"].items():
        assert tuple(info["shape"]) == truth[name].shape, name
        values = asker.library.traces.get(text_trace["id"]).array(name)
        np.testing.assert_allclose(values, truth[name], **TOLERANCE, err_msg=name)
    assert text_trace["outputs"] == ["output"]
    best = int(np.argmax(truth["output"][0, -1]))
    assert text_trace["answer"][0]["index"] == best


def test_values_have_kinds_and_axes(text_trace):
    values = text_trace["values"]
    weights = values["block_1/attention/weights"]
    assert weights["kind"] == "attention"
    assert weights["labels"] == ["", "", "tokens", "tokens"]
    assert values["output"]["kind"] == "logits"
    assert values["output"]["labels"] == ["", "tokens", "vocabulary"]
    assert values["token_embedding/embeddings"]["kind"] == "embedding_table"
    assert values["next_token_logits/kernel"]["labels"] == ["", "vocabulary"]
    assert values["input/tokens"]["kind"] == "tokens"
    assert values["block_2/output"]["kind"] == "matrix"
    assert values["block_2/output"]["axes"] == ["batch", "position", "feature"]
    # What is no float is no feature.
    assert "feature" not in values["input/tokens"]["axes"]


def test_picture_model_and_series_model_have_their_kinds(asker):
    picture = np.zeros((12, 12, 1)).tolist()
    values = asker.library.make("forecaster", request(readings=[[1, 2], [3, 4]]), quiet)["values"]
    assert values["input/readings"]["kind"] == "series"
    assert "series" in {info["kind"] for name, info in values.items() if name.startswith("recurrent/")}
    assert asker.failure("digits", {"kind": "arrays", "arrays": {"picture": picture}})


def request(**arrays):
    return {"input": {"kind": "arrays", "arrays": arrays}, "mode": "forward"}


def quiet(stage, message):
    pass


def test_new_sentence_compiles_nothing(asker, text_trace):
    begin_s = time.monotonic()
    events = asker.events(
        "models/small/traces", {"input": {"kind": "text", "text": "a bad story"}, "mode": "forward"}
    )
    assert "compiling" not in {content["stage"] for name, content in events if name == "progress"}
    assert time.monotonic() - begin_s < 5.0


def test_first_trace_tells_its_stages(make_asker, forecaster):
    asker = make_asker([subject_of(forecaster)])
    events = asker.events("models/forecaster/traces", request(readings=[[0, 1]]))
    for name, content in events[:-1]:
        assert name == "progress"
        check_type(content, "Progress")
    assert "compiling" in {content["stage"] for _, content in events[:-1]}
    check_type(events[-1][1], "TraceInfo")


def test_edit_changes_what_follows_and_nothing_before(asker, text_trace):
    edit = {"name": "block_2/attention/query/kernel", "index": [0, 1], "value": 3.5}
    edited = asker.trace("small", TEXT, edits=[edit])
    assert edited["edits"] == [edit]
    old, new = (asker.library.traces.get(info["id"]) for info in (text_trace, edited))
    assert new.array(edit["name"])[0, 1] == 3.5
    np.testing.assert_array_equal(old.array("block_1/output"), new.array("block_1/output"))
    assert not np.array_equal(old.array("output"), new.array("output"))
    # The model itself stays as it is.
    again = asker.trace("small", TEXT)
    np.testing.assert_array_equal(asker.library.traces.get(again["id"]).array("output"), old.array("output"))


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        ({"name": "no/such", "index": [0], "value": 1}, "no input and no weight"),
        ({"name": "output", "index": [0, 0, 0], "value": 1}, "no input and no weight"),
        ({"name": "final_norm/scale", "index": [99], "value": 1}, "no element"),
        ({"name": "final_norm/scale", "index": [0, 0], "value": 1}, "no element"),
        ({"name": "final_norm/scale", "index": "0", "value": 1}, "an edit has"),
        ("nonsense", "an edit has"),
    ],
)
def test_edit_that_does_not_fit_is_refused_in_a_sentence(asker, edit, word):
    assert word in asker.failure("small", TEXT, edits=[edit])


def test_checkpoint_runs_with_its_own_weights(asker, small_run, text_trace):
    from openbook.training.checkpoint import read_arrays, snapshots

    info = asker.trace("small", TEXT, checkpoint="step-2")
    looked = asker.library.traces.get(info["id"])
    arrays, _ = read_arrays(snapshots(small_run.checkpoints)[2])
    np.testing.assert_array_equal(looked.array("token_embedding/embeddings"), arrays["trainable"][0])
    assert info["checkpoint"] == "step-2"
    assert "step 2" in info["input"]["notes"][-1]
    assert "no checkpoint" in asker.failure("small", TEXT, checkpoint="step-3")


def test_training_step_on_a_text_has_the_loss_of_its_own_tokens(asker, text_trace):
    info = asker.trace("small", TEXT, mode="step", target=" good")
    check_type(info, "TraceInfo")
    looked = asker.library.traces.get(info["id"])
    logits = looked.array("output")[0].astype(np.float64)
    targets = asker.library.traces.get(info["id"]).array("target/tokens")[0]
    nats = np.log(np.exp(logits).sum(axis=-1)) - logits[np.arange(len(targets)), targets]
    assert info["loss"] == pytest.approx(nats.mean(), rel=1e-5)
    kernel = "block_1/attention/query/kernel"
    before, after = looked.array(kernel), looked.array(f"updates/{kernel}")
    assert np.any(before != after)
    assert f"gradients/{kernel}" in info["values"]
    assert "Muon" in " ".join(info["input"]["notes"])
    followed = asker.trace("small", TEXT, weights_after=info["id"])
    weights = asker.library.traces.get(followed["id"]).array(kernel)
    np.testing.assert_array_equal(weights, after)


def test_training_step_on_a_class_uses_the_compiled_loss(digits, rng):
    model = subject_of(digits, rng.random((3, 12, 12, 1)).astype("float32"))
    read = model.examples[1].read
    truth = openbook.trace_step(digits, read.arrays, np.array([4]))
    library = Library([model])
    info = library.make(
        "digits", {"input": {"kind": "example", "id": "example-2"}, "mode": "step", "target": "4"}, quiet
    )
    assert info["loss"] == pytest.approx(float(truth["loss"]), rel=1e-5)


def test_step_without_a_target_is_refused(asker):
    assert "target" in asker.failure("forecaster", request(readings=[[1, 2]])["input"], mode="step")
    assert "token" in asker.failure("small", TEXT, mode="step")


def test_drawn_token_is_the_one_that_try_would_write(asker, small_run, text_trace):
    from openbook.recipes.text_generator import TextGenerator

    settings = {"temperature": 0.8, "top_k": 12, "top_p": 0.9}
    for seed in range(3):
        [*_, (name, info)] = asker.events(
            "models/small/draws", {"trace": text_trace["id"], "seed": seed, **settings}
        )
        assert name == "done"
        check_type(info, "TraceInfo")
        decoding = Decoding(**settings, seed=seed, max_tokens=1, repetition_penalty=1.0)
        fields = {
            key: getattr(decoding, key) for key in (*settings, "seed", "max_tokens", "repetition_penalty")
        }
        written = "".join(TextGenerator.use(small_run, TEXT["text"], **fields))
        assert info["drawn"]["text"] == written


def test_candidates_are_numbers_of_the_draw(asker, text_trace):
    content = {"trace": text_trace["id"], "seed": 1, "temperature": 0.5, "top_k": 3, "top_p": 1.0}
    info = asker.events("models/small/draws", content)[-1][1]
    looked = asker.library.traces.get(info["id"])
    kept = [candidate for candidate in info["candidates"] if candidate["is_kept"]]
    assert len(kept) == 3
    assert sum(candidate["after"] for candidate in info["candidates"]) == pytest.approx(1.0)
    for candidate in info["candidates"]:
        for field, subject in candidate["subjects"].items():
            assert candidate[field] == looked.array(subject["name"])[tuple(subject["index"])]
        assert candidate["scaled"] == pytest.approx(candidate["logit"] / 0.5)
        assert candidate["is_kept"] or candidate["after"] == 0.0
    greedy = asker.events("models/small/draws", {**content, "temperature": 0.0})[-1][1]
    assert greedy["drawn"]["id"] == greedy["candidates"][0]["id"]
    assert [candidate["after"] for candidate in greedy["candidates"][:2]] == [1.0, 0.0]


@pytest.mark.parametrize("change", [{"top_p": 0.0}, {"temperature": -1}, {"seed": "x"}, {"position": 99}])
def test_draw_that_does_not_fit_is_refused_in_a_sentence(asker, text_trace, change):
    content = {"trace": text_trace["id"], "seed": 1, "temperature": 0.5, "top_k": 3, "top_p": 1.0, **change}
    name, answer = asker.events("models/small/draws", content)[-1]
    assert name == "failed"
    assert answer["error"]


def test_text_of_ten_megabytes_gets_a_sentence(asker):
    sentence = asker.failure("small", {"kind": "text", "text": "the film " * 1_200_000})
    assert "10,800,000 characters" in sentence
    assert len(sentence) < 300


def test_html_in_a_text_stays_text(asker):
    hostile = "</script><img src=x onerror=alert(1)>"
    info = asker.trace("small", {"kind": "text", "text": hostile})
    assert info["input"]["text"] == hostile
    assert "".join(token["text"] for token in info["input"]["tokens"][1:]).startswith("</script>")


@pytest.mark.parametrize(
    "given",
    [
        None,
        {"kind": "text"},
        {"kind": "text", "text": 5},
        {"kind": "image", "picture": "data:,"},
        {"kind": "example", "id": "none"},
        {"kind": "tokens"},
        "text",
    ],
)
def test_input_that_does_not_fit_is_refused_in_a_sentence(asker, given):
    assert asker.failure("small", given)
    assert asker.post("models/small/preview", {"input": given}).status_code == 400


def test_requests_that_are_no_json_are_refused(asker):
    for content in (b"{", b"[1]", b"\xff", b"[" * 100_000):
        answer = asker.client.post("/the-token/api/models/small/preview", content=content)
        assert answer.status_code == 400
        assert answer.json()["error"]
    assert asker.post("models/nobody/traces", {}).status_code == 404
    assert asker.get("no/such/thing").status_code == 404
    assert asker.client.put("/the-token/api/state").status_code == 405


def test_job_that_is_cancelled_ends_at_its_next_stage():
    reached, go_on = [], threading.Event()

    def work(report):
        report("reading", "…")
        go_on.wait(5)
        report("compiling", "…")
        reached.append("end")
        return {}

    job = Job(work)
    job.start()
    job.cancel()
    go_on.set()
    job._thread.join(5)
    assert job.is_done
    assert not reached
    assert job.result is None
    with pytest.raises(Cancelled):
        job.report("running", "…")


def test_traces_beyond_the_memory_go_the_oldest_first(make_asker, forecaster):
    asker = make_asker([subject_of(forecaster)], limit_bytes=700)
    infos = [asker.trace("forecaster", request(readings=[[number, 1]])["input"]) for number in range(12)]
    gone = asker.get(f"traces/{infos[0]['id']}")
    assert gone.status_code == 404
    assert "again" in gone.json()["error"]
    check_type(asker.json(f"traces/{infos[-1]['id']}"), "TraceInfo")
    total = sum(each.trace.size_bytes for each in asker.library.traces._traces.values())
    assert 0 < total <= 700


def test_several_pages_trace_at_the_same_time(asker):
    infos = {}

    def trace(text):
        infos[text] = asker.library.make(
            "small", {"input": {"kind": "text", "text": text}, "mode": "forward"}, quiet
        )

    threads = [
        threading.Thread(target=trace, args=(text,)) for text in ("a film", "the plot", "short and bad")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {text: info["input"]["text"] for text, info in infos.items()} == {text: text for text in infos}
    assert len({info["id"] for info in infos.values()}) == 3


def test_answers_are_strict_json(asker, make_asker, forecaster):
    edited = asker.trace(
        "forecaster",
        request(readings=[[1.0, 2.0]])["input"],
        edits=[{"name": "forecast/bias", "index": [0], "value": 1e39}],
    )
    assert edited["first_nonfinite"] == {"name": "forecast/bias", "index": [0]}
    summaries = asker.get(f"traces/{edited['id']}/summaries", name="output")
    assert json.loads(summaries.text, parse_constant=pytest.fail)[0]["num_nonfinite"] == 1
