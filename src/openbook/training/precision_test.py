"""The fastest precision is measured once, and without a cache folder each time."""

import pytest

from openbook.training import precision
from openbook.training.precision import remembered_precision


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


def test_a_cache_folder_that_cannot_be_made_stops_nothing(measured, tmp_path):
    (tmp_path / "file").write_text("")
    assert remembered_precision(8, 4, 16, memory=tmp_path / "file" / "fastest_precision.json") == "bfloat16"
    assert len(measured) == 1
