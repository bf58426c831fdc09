"""Tests of JSON writing and reading."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from openbook.errors import RunError
from openbook.runs.strict_json import parse_object, read_object, to_json


def test_numbers_that_json_does_not_know_become_null() -> None:
    text = to_json({"loss": math.nan, "more": [math.inf, -math.inf, np.float32("nan"), 1.5]})
    assert json.loads(text) == {"loss": None, "more": [None, None, None, 1.5]}


def test_numpy_paths_sets_and_tuples_are_written_as_what_they_mean() -> None:
    value = {
        "integer": np.int64(3),
        "half": np.float32(0.5),
        "double": np.float64(0.25),
        "truth": np.bool_(True),
        "array": np.arange(3),
        "path": Path("a") / "b",
        "set": {3, 1},
        "tuple": (1, "x", None, True),
        5: "key",
    }
    assert json.loads(to_json(value)) == {
        "integer": 3,
        "half": 0.5,
        "double": 0.25,
        "truth": True,
        "array": [0, 1, 2],
        "path": "a/b",
        "set": [1, 3],
        "tuple": [1, "x", None, True],
        "5": "key",
    }


def test_unknown_values_are_refused() -> None:
    with pytest.raises(TypeError, match="no form in JSON"):
        to_json({"value": object()})


def test_file_name_that_is_not_utf8_survives() -> None:
    text = to_json({"file": "caf\udce9 ü"})
    assert json.loads(text.encode()) == {"file": "caf\udce9 ü"}


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"a": 1', b"\x00\x00\x00", b"\xff\xfe", b"[1]", b"3", b"null", b"[" * 100_000]
)
def test_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"run\.json.*expected a JSON object.*[Cc]opy"):
        read_object(path)


def test_missing_file_and_folder_in_its_place_are_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"run\.json: is missing"):
        read_object(tmp_path / "run.json")
    with pytest.raises(RunError, match="cannot be read"):
        read_object(tmp_path)


def test_nan_written_by_another_program_reads_as_none() -> None:
    assert parse_object('{"loss": NaN, "more": -Infinity}', origin="row") == {"loss": None, "more": None}
