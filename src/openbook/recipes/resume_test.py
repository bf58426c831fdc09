"""A run killed at any moment goes on, and ends with the bits of one that was never killed."""

import itertools
import math
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from openbook.errors import OpenbookError
from openbook.recipes import make_recipe
from openbook.recipes.session import resume, train
from openbook.runs import atomic, find_run
from openbook.training.checkpoint import load_latest
from openbook.training.reporter import Reporter

NUM_KILLS = 20
# So many steps, or writes of a file, at most until a kill: a fast machine must not end the run before.
LONGEST_LIFE = 20
NUM_STEPS = 2 * NUM_KILLS * LONGEST_LIFE
SETTINGS = {
    "size": "tiny",
    "width": 32,
    "num_blocks": 1,
    "vocabulary_size": 300,
    "context_length": 16,
    "batch_size": 4,
    "precision": "float32",
    "steps": NUM_STEPS,
    # A checkpoint after every step, so that many kills fall into the writing of one.
    "checkpoint_interval_s": 0.0,
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Own texts, runs and cache, handed to the children as environment variables."""
    folder = tmp_path_factory.mktemp("killed")
    texts = random.Random(0)
    words = [
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
        "long",
        "short",
        "and",
        "but",
    ]
    (folder / "texts").mkdir()
    for index in range(40):
        text = " ".join(texts.choice(words) for _ in range(60))
        (folder / "texts" / f"{index}.txt").write_text(text, encoding="utf-8")
    return {
        "OPENBOOK_RUNS": str(folder / "runs"),
        "OPENBOOK_CACHE": str(folder / "cache"),
        "texts": str(folder / "texts"),
    }


def work(environment, name, last_write):
    """What a child does: begin the run, or go on with it when it is there."""
    os.environ.update(environment)
    if last_write is not None:
        _die_in_a_write(*last_write)
    recipe = make_recipe("text-generator", {**SETTINGS, "data": environment["texts"]})
    try:
        run = find_run(name)
    except OpenbookError:
        train(recipe, reporter=Reporter(), name=name)
    else:
        if not run.is_complete:
            resume(run, reporter=Reporter())


def _die_in_a_write(number, share):
    """Kill this process in write `number` from now, when `share` of the file's bytes have reached the disk."""
    writes = itertools.count(1)
    sync_file = atomic.sync_file

    def sync_or_die(path):
        if next(writes) == number:
            os.truncate(path, int(share * path.stat().st_size))
            os.kill(os.getpid(), signal.SIGKILL)
        sync_file(path)

    atomic.sync_file = sync_or_die


def start(environment, name, *, last_write=None):
    # The fork server imports once, so that a child is at work within a second.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["keras", "openbook.recipes.session", "openbook.training.fit"])
    child = context.Process(target=work, args=(environment, name, last_write))
    child.start()
    return child


def contents(environment, name, monkeypatch):
    """Weights by variable, score and curve (without times) of a finished run."""
    import keras

    import openbook.layers  # noqa: F401

    monkeypatch.setenv("OPENBOOK_RUNS", environment["OPENBOOK_RUNS"])
    run = find_run(name)
    run.verify()
    model = keras.saving.load_model(run.model_path)
    weights = {variable.path: np.asarray(variable.value) for variable in model.variables}
    curve = [
        {key: value for key, value in row.items() if key not in ("train_s", "tokens_per_s")}
        for row in run.metrics()
    ]
    return weights, dict(run.section("score")), curve


@pytest.mark.long
@pytest.mark.timeout(900)  # a minute on two idle cores
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL and the fork server need POSIX")
def test_run_killed_twenty_times_ends_with_the_same_bits(environment, monkeypatch):
    child = start(environment, "whole")
    child.join()
    assert child.exitcode == 0

    rng = random.Random(5)
    folder = Path(environment["OPENBOOK_RUNS"]) / "killed"
    killed_at_steps, num_torn = [], 0
    for index in range(NUM_KILLS):
        if index % 4 == 3:
            child = start(environment, "killed", last_write=(rng.randint(1, LONGEST_LIFE), rng.random()))
        else:
            child = start(environment, "killed")
            # The first of four dies before, or while, the run is made or read.
            _kill(child, folder, after_s=rng.uniform(0.0, 1.0) if index % 4 == 0 else math.inf, rng=rng)
        child.join()
        assert child.exitcode == -signal.SIGKILL
        killed_at_steps.append(_last_step(folder))
        num_torn += any(folder.rglob(f"{atomic.TEMPORARY_PREFIX}*"))
    child = start(environment, "killed")
    child.join()
    assert child.exitcode == 0

    expected, received = (contents(environment, name, monkeypatch) for name in ("whole", "killed"))
    assert expected[0].keys() == received[0].keys()
    for path, weights in expected[0].items():
        np.testing.assert_array_equal(weights, received[0][path], err_msg=path)
    assert expected[1:] == received[1:]
    # The kills were real: at many different steps, and in the middle of writes.
    assert len(set(killed_at_steps)) >= NUM_KILLS // 2, killed_at_steps
    assert num_torn >= NUM_KILLS // 4


def _kill(child, folder, *, after_s, rng):
    """Kill a child some steps after those that it found, or after some time, whichever comes first."""
    last_step = _last_step(folder) + rng.randint(1, LONGEST_LIFE)
    last_moment_s = time.monotonic() + after_s
    while _last_step(folder) < last_step and time.monotonic() < last_moment_s:
        assert child.exitcode is None, "the child ended before it could be killed"
        time.sleep(0.002)
    time.sleep(rng.uniform(0.0, 0.02))
    os.kill(child.pid, signal.SIGKILL)


def _last_step(folder):
    """The step of the latest checkpoint; 0 without one."""
    loaded = load_latest(folder / "checkpoints")
    return 0 if loaded is None else loaded[1].step
