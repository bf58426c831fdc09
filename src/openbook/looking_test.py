"""What the page is given: runs in every state, models that cannot be looked at."""

import asyncio
import json
import shutil

import numpy as np
import pytest

from openbook.errors import ModelError, RunError, UsageError
from openbook.looking import subject_of
from openbook.page.run_info import run_events
from openbook.page.traces import Library
from openbook.runs import Run
from openbook.training import checkpoint


@pytest.fixture
def training_run(small_run, tmp_path):
    """The run as it was while it trained: no model yet, only checkpoints."""
    folder = tmp_path / "training"
    shutil.copytree(small_run.path, folder)
    for name in ("model.keras", "manifest.json", "examples.json"):
        (folder / name).unlink()
    record = json.loads((folder / "run.json").read_text("utf-8"))
    record.update(status="training", score={}, actual={})
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    run = Run.open(folder)
    with run.lock():
        yield run


def trace(library, text="the film"):
    request = {"input": {"kind": "text", "text": text}, "mode": "forward"}
    info = library.make("training", request, lambda stage, message: None)
    return info, library.traces.get(info["id"])


def test_run_in_training_has_the_weights_of_its_latest_checkpoint(training_run):
    library = Library([subject_of(training_run)])
    arrays, position = checkpoint.load_latest(training_run.checkpoints)
    info, looked = trace(library)
    np.testing.assert_array_equal(looked.array("token_embedding/embeddings"), arrays["trainable"][0])
    assert info["input"]["notes"] == [f"With the weights of step {position.step}."]
    # Training goes on: the next trace has the new weights.
    newer = {**arrays, "trainable": [array + 1 for array in arrays["trainable"]]}
    later = checkpoint.Position(step=99, elapsed_s=1.0, num_steps=None, best=None)
    checkpoint.save_latest(training_run.checkpoints, newer, later)
    info, looked = trace(library)
    np.testing.assert_array_equal(looked.array("token_embedding/embeddings"), newer["trainable"][0])
    assert info["input"]["notes"] == ["With the weights of step 99."]


def test_run_before_its_first_checkpoint_has_the_weights_that_it_begins_with(training_run):
    for path in training_run.checkpoints.iterdir():
        path.unlink()
    subject = subject_of(training_run)
    assert subject.current() is None
    library = Library([subject])
    _, looked = trace(library)
    # Zero kernels: every token has the same logit.
    assert np.ptp(looked.array("output")) == 0.0


def test_run_without_a_vocabulary_yet_says_to_look_again(training_run):
    (training_run.path / "tokenizer.json").unlink()
    with pytest.raises(RunError, match="Look again in a moment"):
        subject_of(training_run)


def test_run_that_was_stopped_before_anything_was_saved_says_how_to_go_on(small_run, tmp_path):
    folder = tmp_path / "stopped"
    shutil.copytree(small_run.path, folder)
    (folder / "model.keras").unlink()
    (folder / "manifest.json").unlink()
    shutil.rmtree(folder / "checkpoints")
    with pytest.raises(RunError, match="train --resume stopped"):
        subject_of(folder)


def test_events_tell_new_rows_and_the_end(training_run):
    async def follow():
        events = []
        stream = run_events(training_run)
        events.append(await anext(stream))
        training_run.append_metrics({"step": 100, "loss": 1.0})
        while not events[-1].startswith(b"event: metrics"):
            events.append(await anext(stream))
        training_run.update(status="failed")
        events += [event async for event in stream]
        return [event for event in events if not event.startswith(b":")]

    first, added, last = (
        (lines[0].decode(), json.loads(lines[1].removeprefix(b"data: ")))
        for lines in (event.split(b"\n") for event in asyncio.run(follow()))
    )
    assert (first[0], first[1]["status"]) == ("event: run", "training")
    assert added == ("event: metrics", [{"step": 100, "loss": 1.0}])
    assert (last[0], last[1]["status"]) == ("event: run", "failed")


def test_checkpoints_are_told_in_the_order_of_steps(training_run):
    subject = subject_of(training_run)
    assert [each.step for each in subject.checkpoints()] == [2, 4, 6, 8]
    later = checkpoint.Position(step=9, elapsed_s=1.0, num_steps=None, best=None)
    arrays, _ = checkpoint.load_latest(training_run.checkpoints)
    checkpoint.save_latest(training_run.checkpoints, arrays, later)
    assert [each.id for each in subject.checkpoints()] == ["step-2", "step-4", "step-6", "step-8", "latest"]


def test_texts_that_are_given_come_first(small_run):
    subject = subject_of(small_run, ["one film", "two films"])
    assert subject.reader.spec()["example"] == "one film"
    assert [example.shown["text"] for example in subject.examples[:2]] == ["one film", "two films"]


def test_things_that_are_no_models_are_refused(small_run, tmp_path):
    with pytest.raises(ModelError, match="expected a run"):
        subject_of(5)
    with pytest.raises(RunError):
        subject_of(tmp_path / "nothing")
    with pytest.raises(UsageError, match="not a picture"):
        picture = tmp_path / "cat.png"
        picture.write_bytes(b"")
        subject_of(small_run.path, pictures=[picture])
