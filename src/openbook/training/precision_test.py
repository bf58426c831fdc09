"""The fastest precision is measured once, and without a cache folder each time."""

import pytest

from openbook.training import precision
from openbook.training.precision import remembered_gflops, remembered_precision


@pytest.fixture
def measured(monkeypatch):
    """What was measured, one entry a time."""
    shapes = []

    def measure(*shape, backend):
        shapes.append(shape)
        return "bfloat16", {}

    monkeypatch.setattr(precision, "fastest_precision", measure)
    return shapes


def test_a_measurement_is_remembered(measured, tmp_path):
    memory = tmp_path / "cache" / "fastest_precision.json"
    assert [remembered_precision(8, 4, 16, memory=memory) for _ in range(2)] == ["bfloat16"] * 2
    assert measured == [(8, 4, 16)]


def test_the_speed_is_remembered_beside_it(monkeypatch, tmp_path):
    speeds = iter([{"float32": 100.04, "bfloat16": 40.0}, {"float32": 1.0, "bfloat16": 2.0}])
    monkeypatch.setattr(precision, "fastest_precision", lambda *shape, backend: ("float32", next(speeds)))
    memory = tmp_path / "measured.json"
    assert remembered_precision(8, 4, 16, memory=memory) == "float32"
    assert [remembered_gflops(memory=memory) for _ in range(2)] == [2.0, 2.0]


def test_the_speed_of_this_machine_is_that_of_a_product(tmp_path):
    # From a slow board computer to a large accelerator.
    assert 0.1 < remembered_gflops(memory=tmp_path / "measured.json") < 5e6


def test_a_cache_folder_that_cannot_be_made_stops_nothing(measured, tmp_path):
    (tmp_path / "file").write_text("")
    assert remembered_precision(8, 4, 16, memory=tmp_path / "file" / "fastest_precision.json") == "bfloat16"
    assert len(measured) == 1
