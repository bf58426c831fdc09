"""The experiments: all of them on a few pictures, and what their sentences say."""

import json
import re

import numpy as np
import pytest

from openbook.cli.app import app
from openbook.errors import UsageError
from openbook.experiments import all_experiments, experiment_named
from openbook.experiments.experiment import Examples, Net, Outcome, Scores

NAMES = ["dropout", "from-scratch", "l2", "learning-rate", "model-size", "noise-channels", "shuffled-labels"]


@pytest.fixture
def stripes(tmp_path, rng):
    """An archive of noisy pictures with a bright upper, middle or lower third."""
    labels = np.arange(150) % 3
    pictures = rng.integers(0, 60, (150, 28, 28)).astype(np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        picture[9 * label : 9 * label + 9] += 150
    np.savez(tmp_path / "stripes.npz", x=pictures, y=labels)
    return tmp_path / "stripes.npz"


def run_command(*arguments):
    from typer.testing import CliRunner

    result = CliRunner().invoke(app, ["experiment", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_experiments_are_found_by_their_place():
    assert list(all_experiments()) == NAMES
    assert all(name in run_command() for name in NAMES)
    with pytest.raises(UsageError, match="Did you mean dropout"):
        experiment_named("dropuot")


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_experiment_says_draws_and_counts(name, stripes, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path / "cache"))
    picture = tmp_path / "curves.png"
    printed = run_command(
        name, "--data", str(stripes), "--epochs", "3", "--picture", str(picture), "-q", "--json"
    )
    found = json.loads(printed)
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert len(found["nets"]) >= 2
    for net in found["nets"]:
        assert [scores["epoch"] for scores in net["curve"]] == [0, 1, 2, 3]
    # Every share in the sentence is one of the results, or that of guessing.
    shares = {
        f"{100 * scores[key]:.1f}"
        for net in found["nets"]
        for scores in net["curve"]
        for key in ("train_accuracy", "held_out_accuracy")
    }
    said = re.findall(r"([\d.]+) %", found["sentence"])
    guessing = {share for share in said if 33.0 < float(share) < 60.0}
    assert set(said) <= shares | guessing


def outcome(label, *, seen, new, losses):
    labels = np.array([0, 1], np.int32)
    inputs = np.zeros((2, 1), np.float32)
    examples = Examples(
        train_ND=inputs, train_labels_N=labels, held_out_ND=inputs, held_out_labels_N=labels, num_classes=2
    )
    curve = tuple(
        Scores(epoch=epoch, train_loss=0.1, train_accuracy=seen, held_out_loss=loss, held_out_accuracy=new)
        for epoch, loss in enumerate(losses)
    )
    net = Net(label=label, examples=examples)
    return Outcome(net=net, curve=curve, num_parameters=1, mean_weight=1.0, duration_s=0.0)


def test_sentence_follows_the_results():
    see = experiment_named("model-size").see
    small = outcome("small", seen=0.5, new=0.5, losses=[0.7, 0.6])
    overfitting = outcome("large", seen=1.0, new=0.7, losses=[0.4, 0.8])
    assert "grows to 2.0 times" in see([small, overfitting])
    assert "has not begun to overfit" in see([small, outcome("large", seen=1.0, new=0.9, losses=[0.5, 0.4])])

    see = experiment_named("shuffled-labels").see
    true = outcome("true", seen=1.0, new=0.9, losses=[0.1])
    assert "knows 100.0 % of its training" in see(
        [true, outcome("shuffled", seen=1.0, new=0.5, losses=[1.0])]
    )
    assert "has not learned the shuffled" in see([true, outcome("shuffled", seen=0.6, new=0.5, losses=[1.0])])

    see = experiment_named("noise-channels").see
    assert "20.0 points are lost" in see([true, outcome("noise", seen=1.0, new=0.7, losses=[1.0])])
    assert "did no harm" in see([true, true])

    without, with_dropout = (
        outcome(name, seen=1.0, new=0.8, losses=[loss]) for name, loss in (("a", 1), ("b", 2))
    )
    assert "No dropout helped" in experiment_named("dropout").see([without, with_dropout])
    assert "B ends with a held-out loss of 2.000" not in experiment_named("dropout").see(
        [without, with_dropout]
    )


def test_twins_from_scratch_learn_what_keras_learns(stripes, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path / "cache"))
    picture = tmp_path / "curves.png"
    printed = run_command(
        "from-scratch", "--data", str(stripes), "--epochs", "2", "--picture", str(picture), "-q", "--json"
    )
    dense, dense_twin, convnet, convnet_twin = json.loads(printed)["nets"]
    for net, twin in ((dense, dense_twin), (convnet, convnet_twin)):
        assert twin["is_from_scratch"]
        assert not net["is_from_scratch"]
        assert twin["num_parameters"] == net["num_parameters"]
        assert net["curve"][-1]["train_loss"] < net["curve"][0]["train_loss"]
        for one, other in zip(net["curve"], twin["curve"], strict=True):
            assert one["held_out_loss"] == pytest.approx(other["held_out_loss"], rel=1e-3)
