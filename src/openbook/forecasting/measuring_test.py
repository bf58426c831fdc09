"""Measuring this machine for real: every speed is there, in seconds, and its identity is the machine's."""

import math

import pytest

from openbook.forecasting.machine_profile import parse_profile
from openbook.forecasting.measuring import identity, measure

pytestmark = pytest.mark.long


def test_this_machine_can_be_measured():
    profile = measure(name="here")
    assert profile.is_measured
    assert profile.identity == identity()
    assert {speed.dtype for speed in profile.products} == {"float32", "bfloat16"}
    large = max(speed.gflops for speed in profile.products)
    assert 0.1 < large < 1e7  # from a slow single core to a cluster's card
    assert 0.0 < profile.compile_s < 1.0
    assert math.isfinite(profile.memory_gb_per_s)
    # What was measured can be written and read again.
    assert parse_profile(profile.to_json(), origin="here") == profile
