"""Tests of what a run records about its machine."""

import json
import os

from openbook.runs.machine import describe_machine, memory_bytes, package_versions, usable_cores


def test_machine_is_described_in_facts_that_json_knows() -> None:
    machine = describe_machine()
    assert json.loads(json.dumps(machine)) == machine
    assert machine["processor"]
    assert str(machine["num_cores"]) in str(machine["label"])
    assert describe_machine(accelerators=["H200", "H200"])["label"] == "H200"


def test_cores_and_memory_are_what_this_process_may_use() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    total, available = memory_bytes()
    assert 0 < available <= total


def test_versions_are_those_installed() -> None:
    import numpy

    assert package_versions()["numpy"] == numpy.__version__
