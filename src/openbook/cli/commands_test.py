"""The command line as a person meets it: real processes, exit codes, JSON, Ctrl-C, quick help."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

TINY = ["--size", "tiny", "--width", "32", "--num-blocks", "1", "--vocabulary-size", "300"]
TINY += ["--context-length", "16", "--batch-size", "4", "--precision", "float32"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder of one's own with a table of texts, and the environment that belongs to it."""
    folder = tmp_path_factory.mktemp("home")
    rows = [
        f'{index},"the film number {index}, was good because of the {index % 7} actors"'
        for index in range(80)
    ]
    (folder / "my.csv").write_text("\n".join(["id,body", *rows]), encoding="utf-8")
    return folder


def openbook(home, *arguments, **options):
    """Run the command; returns the finished process with text output."""
    environment = {
        **os.environ,
        "OPENBOOK_RUNS": str(home / "runs"),
        "OPENBOOK_CACHE": str(home / "cache"),
        "COLUMNS": "80",
    }
    command = [sys.executable, "-m", "openbook", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        **options,
    )


@pytest.fixture(scope="module")
def trained(home):
    """What `train --json` printed for a small run named `first`."""
    done = openbook(
        home,
        *("train", "text-generator", "--data", "my.csv", "--text-column", "body"),
        *("--steps", "30", "--name", "first", "--json", *TINY),
    )
    assert done.returncode == 0, done.stderr
    assert "body" in done.stderr, "the data report comes before training"
    return json.loads(done.stdout)


@pytest.mark.long
def test_train_prints_one_json_object(trained, home):
    assert trained["recipe"] == "text-generator"
    assert trained["steps"] == 30
    assert set(trained["score"]) >= {"bits_per_byte", "perplexity", "accuracy"}
    assert 0 < trained["train_s"] <= trained["total_s"]
    assert trained["run"] == str(home / "runs" / "first")
    assert len(trained["samples"]) == 3


@pytest.mark.long
def test_try_continues_and_repeats_with_the_same_seed(trained, home):
    first, second = (
        openbook(home, "try", "first", "the film", "--seed", "4", "--max-tokens", "20") for _ in range(2)
    )
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("the film")
    assert first.stdout == second.stdout
    answer = json.loads(openbook(home, "try", "last", "the film", "--json", "--max-tokens", "20").stdout)
    assert answer["input"] == "the film"
    assert answer["output"]


@pytest.mark.long
def test_runs_list_show_and_export(trained, home):
    [row] = json.loads(openbook(home, "runs", "--json").stdout)["runs"]
    assert row["recipe"] == "text-generator"
    shown = openbook(home, "runs", "show", "first")
    assert shown.returncode == 0
    assert "bits per byte" in shown.stdout
    exported = json.loads(openbook(home, "export", "first", "--to", "keras", "--json").stdout)
    assert (home / "first.keras").read_bytes() == (home / "runs" / "first" / "model.keras").read_bytes()
    assert exported["path"] == str(home / "first.keras")


@pytest.mark.long
def test_shelf_names_the_last_run(trained, home):
    done = openbook(home)
    assert done.returncode == 0
    assert "text-generator" in done.stdout
    recipes = {each["recipe"]: each for each in json.loads(openbook(home, "--json").stdout)["recipes"]}
    assert recipes["text-generator"]["last_run"] == "first"
    assert recipes["digits"]["last_run"] is None


def test_data_report_alone(home):
    report = json.loads(openbook(home, "data", "my.csv", "--json").stdout)
    assert report["num_documents"] == 80
    done = openbook(home, "data", "my.csv")
    assert "body" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["train", "text-generater"], 2, "text-generator"),
        (["train", "text-generator", "--steps", "0"], 2, "--steps"),
        (["train", "text-generator", "--budget", "-5m"], 2, "budget"),
        (["train", "text-generator", "--steps", "many"], 2, "--steps"),
        (["train", "text-generator", "--set", "widht=3"], 2, "Did you mean width"),
        (["train", "text-generator", "--set", "width"], 2, "name=value"),
        (["train", "text-generator", "--data", "nowhere.csv", "--steps", "3"], 1, "nowhere.csv"),
        (["train"], 2, ""),
        (["train", "--resume", "nobody"], 1, "nobody"),
        (["try", "nobody", "x"], 1, "nobody"),
        (["export", "nobody"], 1, "nobody"),
        (["runs", "show", "nobody"], 1, "nobody"),
        (["data", "nowhere"], 1, "nowhere"),
        (["--json", "runs"], 2, "after the command"),
        (["no-such-command"], 2, "no-such-command"),
    ],
)
def test_wrong_use_is_a_clear_message_and_no_run(arguments, exit_code, words, home):
    before = sorted((home / "runs").glob("*")) if (home / "runs").exists() else []
    done = openbook(home, *arguments)
    assert done.returncode == exit_code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert (sorted((home / "runs").glob("*")) if (home / "runs").exists() else []) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--resume", "first"], "openbook train --resume first"),
        (["--steps", "5", "--set", "steps=6"], "say it twice"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(home, arguments, said):
    done = openbook(home, "train", "text-generator", "--data", "my.csv", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_saves_says_how_to_go_on_and_resume_finishes(home):
    environment = {**os.environ, "OPENBOOK_RUNS": str(home / "runs"), "OPENBOOK_CACHE": str(home / "cache")}
    command = [sys.executable, "-m", "openbook", "train", "text-generator", "--data", "my.csv"]
    command += ["--steps", "1500", "--name", "stopped", "--checkpoint-interval-s", "0", *TINY]
    process = subprocess.Popen(command, cwd=home, env=environment, stderr=subprocess.PIPE, text=True)
    checkpoint = home / "runs" / "stopped" / "checkpoints" / "latest.safetensors"
    while process.poll() is None and not checkpoint.exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert "openbook train --resume stopped" in errors
    assert json.loads(openbook(home, "try", "stopped", "the", "--json", "--max-tokens", "5").stdout)["output"]
    done = openbook(home, "train", "--resume", "stopped", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 1500


def test_import_and_help_load_neither_keras_nor_jax(home):
    code = (
        "import sys, openbook; from openbook.cli.app import app; from typer.testing import CliRunner; "
        "result = CliRunner().invoke(app, ['--help']); assert result.exit_code == 0, result.output; "
        "heavy = {'keras', 'jax', 'numpy.linalg', 'polars', 'matplotlib', 'tokenizers'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_public_names_are_listed_sorted_and_there():
    import openbook

    assert openbook.__all__ == sorted(openbook.__all__)
    assert all(callable(getattr(openbook, name)) for name in openbook.__all__)
    assert set(openbook.__all__) <= set(dir(openbook))
