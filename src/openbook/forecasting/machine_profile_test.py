"""Profiles as files: the same after a round trip, and refused when they are none."""

import json

import pytest

from openbook.errors import UsageError
from openbook.forecasting.machine_profile import load_profile, parse_profile


def test_profile_comes_back_from_its_file(machine, tmp_path):
    machine.save(tmp_path / "folder" / "machine.json")
    assert load_profile(tmp_path / "folder" / "machine.json") == machine


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": 99}, "schema_version"),
        ({"memory_gb_per_s": 0}, "memory_gb_per_s"),
        ({"compile_s": float("inf")}, "compile_s"),
        ({"memory_bytes": "much"}, "memory_bytes"),
        ({"products": []}, "products"),
        ({"products": [{"dtype": "float32", "shape": [1, 2, 3, 0], "gflops": 1}]}, "speed above zero"),
        ({"products": [{"dtype": "float32", "shape": [1, 2, 3, 4]}]}, "gflops"),
        ({"origin": "guessed"}, "origin"),
        ({"surprise": 1}, "surprise unknown"),
        ({"name": " "}, "name"),
    ],
)
def test_wrong_profile_is_refused_and_the_error_says_why(machine, change, said):
    content = {**json.loads(machine.to_json()), **change}
    with pytest.raises(UsageError, match=said) as caught:
        parse_profile(json.dumps(content), origin="laptop.json")
    assert "laptop.json" in str(caught.value)
    assert "openbook profile export" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1, 2]", "{", '{"schema_version": 1}', "\x00"])
def test_what_is_no_profile_is_refused(text):
    with pytest.raises(UsageError):
        parse_profile(text, origin="x")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere\.json"):
        load_profile(tmp_path / "nowhere.json")
