"""This machine's profile: measured once, anew when the machine changed; others by name."""

import dataclasses

import pytest

from openbook.errors import UsageError
from openbook.forecasting import measuring, profiles
from openbook.forecasting.load import MachineLoad
from openbook.forecasting.machine_profile import load_profile
from openbook.forecasting.profiles import (
    PROFILE_VARIABLE,
    import_profile,
    imported_names,
    named_profile,
    profile_here,
)


@pytest.fixture
def measured(monkeypatch, machine):
    """Counts measurements; the machine's identity can be changed."""
    monkeypatch.delenv(PROFILE_VARIABLE, raising=False)
    state = {"times": 0, "identity": {"processor": "old", "num_cores": 2, "devices": ["cpu"]}}

    def measure():
        state["times"] += 1
        return dataclasses.replace(machine, identity=state["identity"])

    monkeypatch.setattr(measuring, "measure", measure)
    monkeypatch.setattr(measuring, "identity", lambda: state["identity"])
    monkeypatch.setattr(profiles, "machine_load", lambda: MachineLoad(share=state.get("share", 0.0)))
    return state


def test_machine_is_measured_once(measured, tmp_path):
    said = []
    first, second = (profile_here(tmp_path, say=said.append) for _ in range(2))
    assert first == second
    assert measured["times"] == 1
    assert len(said) == 1
    profile_here(tmp_path, say=said.append, anew=True)
    assert measured["times"] == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"processor": "new"}, "processor old → new"),
        ({"num_cores": 8}, "num cores 2 → 8"),
        ({"devices": ["gpu"]}, "gpu"),
    ],
)
def test_changed_machine_is_measured_anew_and_says_what_changed(measured, tmp_path, change, words):
    said = []
    profile_here(tmp_path, say=said.append)
    measured["identity"] = {**measured["identity"], **change}
    profile_here(tmp_path, say=said.append)
    assert measured["times"] == 2
    assert words in said[-1]
    measured["identity"] = {"processor": "old", "num_cores": 2, "devices": ["cpu"]}
    profile_here(tmp_path, say=said.append)
    assert measured["times"] == 2, "the earlier profile is still there"


def test_busy_machine_is_measured_again_next_time(measured, tmp_path):
    said = []
    measured["share"] = 0.7
    profile_here(tmp_path, say=said.append)
    assert "70%" in said[-1]
    measured["share"] = 0.0
    for _ in range(2):
        profile_here(tmp_path, say=said.append)
    assert measured["times"] == 2


def test_damaged_profile_is_measured_again(measured, tmp_path):
    profile_here(tmp_path, say=lambda _: None)
    [path] = tmp_path.glob("*.json")
    path.write_text(path.read_text()[:100])
    said = []
    profile_here(tmp_path, say=said.append)
    assert measured["times"] == 2
    assert "damaged" in said[0]
    assert load_profile(path).is_measured


def test_folder_that_cannot_be_written_does_no_harm(measured, tmp_path):
    (tmp_path / "file").write_text("")
    assert profile_here(tmp_path / "file" / "profiles", say=lambda _: None).is_measured


def test_given_profile_takes_the_place_of_measuring(measured, machine, tmp_path, monkeypatch):
    machine.save(tmp_path / "given.json")
    monkeypatch.setenv(PROFILE_VARIABLE, str(tmp_path / "given.json"))
    assert profile_here(tmp_path, say=lambda _: None) == machine
    assert measured["times"] == 0


def test_imported_machine_is_known_by_its_name(machine, tmp_path):
    machine.save(tmp_path / "their-laptop.json")
    folder = tmp_path / "profiles"
    assert import_profile(tmp_path / "their-laptop.json", folder).name == "their-laptop"
    import_profile(tmp_path / "their-laptop.json", folder, name="office")
    assert imported_names(folder) == ["office", "their-laptop"]
    assert named_profile("office", folder).products == machine.products
    assert named_profile(str(tmp_path / "their-laptop.json"), folder) == machine
    assert not named_profile("t4", folder).is_measured


@pytest.mark.parametrize("name", ["../x", "a b", ".hidden", "this-machine-1"])
def test_name_that_is_no_file_name_is_refused(machine, tmp_path, name):
    machine.save(tmp_path / "laptop.json")
    with pytest.raises(UsageError, match="name"):
        import_profile(tmp_path / "laptop.json", tmp_path / "profiles", name=name)


def test_known_device_keeps_its_name(machine, tmp_path):
    machine.save(tmp_path / "t4.json")
    with pytest.raises(UsageError, match="--name"):
        import_profile(tmp_path / "t4.json", tmp_path / "profiles")


def test_unknown_machine_names_those_near(tmp_path):
    with pytest.raises(UsageError, match="rtx-3070-laptop"):
        named_profile("rtx-3070-laptp", tmp_path)
    with pytest.raises(UsageError, match="h100"):
        named_profile("quantum", tmp_path)
