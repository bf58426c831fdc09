"""`openbook forecast` and `openbook profile` as a person meets them: real processes, JSON, exit codes."""

import json

import pytest

from openbook.cli.commands_test import TINY, openbook

pytestmark = pytest.mark.long
DATA = ("--data", "my.csv", "--text-column", "body")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder of one's own with a table of texts."""
    folder = tmp_path_factory.mktemp("home")
    rows = [
        f'{index},"film number {index} was good because of its {index % 7} actors"' for index in range(80)
    ]
    (folder / "my.csv").write_text("\n".join(["id,body", *rows]), encoding="utf-8")
    return folder


def test_forecast_is_one_json_object(home):
    done = openbook(home, "forecast", "text-generator", *DATA, *TINY, "--steps", "30", "--on", "t4", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    for quantity in ("time_s", "memory_bytes"):
        assert told[quantity]["low"] <= told[quantity]["middle"] <= told[quantity]["high"]
    assert told["level"] in ("profile", "probe", "history")
    assert told["steps"] == 30
    assert told["elsewhere"][0]["machine"] == "t4"
    assert not (home / "runs").exists() or not list((home / "runs").glob("text-generator-*"))


def test_forecast_reads_in_a_narrow_terminal(home):
    done = openbook(home, "forecast", "text-generator", *DATA, *TINY, "--steps", "30", "--level", "profile")
    assert done.returncode == 0, done.stderr
    for words in (
        "Forecast:",
        "altogether",
        "an epoch takes",
        "most of the time",
        "nothing was run",
        "compiling",
    ):
        assert words in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_record_tells_of_finished_runs(home):
    empty = openbook(home, "forecast", "--record")
    assert "No finished run" in empty.stdout or "range held" in empty.stdout
    trained = openbook(
        home, "train", "text-generator", *DATA, *TINY, "--steps", "5", "--name", "told", "--json"
    )
    assert trained.returncode == 0, trained.stderr
    assert "Forecast:" in trained.stderr
    record = json.loads(openbook(home, "forecast", "--record", "--json").stdout)
    [row] = [row for row in record["runs"] if row["run"] == "told"]
    assert row["time_s"]["actual"] > 0
    assert row["time_s"]["error"] == pytest.approx(
        row["time_s"]["middle"] / row["time_s"]["actual"] - 1, abs=1e-3
    )
    assert "told" in openbook(home, "forecast", "--record").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("text-generator", "--budget", "0"), "above zero"),
        (("text-generator", "--budget=-5"), "above zero"),
        (("text-generator", "--level", "magic"), "profile, probe, history"),
        (("text-generator", "--on", "quantum"), "There are:"),
        (("poetry",), "no recipe called"),
        (("--record", "text-generator"), "leave the recipe out"),
        (("--json", "text-generator"), "after the recipe"),
    ],
)
def test_wrong_use_says_what_to_do(home, arguments, said):
    done = openbook(home, "forecast", *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_profile_travels_as_a_file(home):
    exported = openbook(home, "profile", "export", "office.json")
    assert exported.returncode == 0, exported.stderr
    assert json.loads((home / "office.json").read_text("utf-8"))["name"] == "office"
    imported = openbook(home, "profile", "import", "office.json", "--name", "desk")
    assert imported.returncode == 0, imported.stderr
    listed = json.loads(openbook(home, "profile", "list", "--json").stdout)
    assert listed["imported"] == ["desk"]
    assert "t4" in listed["published"]
    assert "GFLOP/s" in openbook(home, "profile", "--on", "desk").stdout
    assert "not measured" in openbook(home, "profile", "--on", "t4").stdout
    (home / "broken.json").write_text("{}")
    broken = openbook(home, "profile", "import", "broken.json")
    assert broken.returncode == 2
    assert "broken.json" in broken.stderr
