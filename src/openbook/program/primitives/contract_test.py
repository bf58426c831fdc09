"""What holds of every entry of the table, over the cases of all families."""

from __future__ import annotations

import numpy as np
import pytest

from openbook.program.primitives import checking_test as checking
from openbook.program.primitives.cases_test import all_cases
from openbook.program.primitives.table import primitives

CASES = all_cases()
RUNS = checking.by_dtype(CASES)
NAMES = [f"{key}{'-float64' if in_float64 else ''}" for key, in_float64 in RUNS]
every_run = pytest.mark.parametrize(("key", "in_float64"), RUNS, ids=NAMES)


def test_every_primitive_occurs_in_a_case():
    seen = {done.step.primitive for key in CASES for done in checking.executed(key, in_float64=False)}

    missing = set(primitives()) - seen

    assert not missing


@every_run
def test_values_agree_with_jax(key, in_float64):
    for done in checking.executed(key, in_float64=in_float64):
        if not done.step.bodies:
            checking.check_value(done)


@every_run
def test_explanations_evaluate_to_the_values(key, in_float64):
    rng = np.random.default_rng(0)
    for done in checking.executed(key, in_float64=in_float64):
        if not done.step.bodies:
            checking.check_explanation(done, rng)


@every_run
def test_source_evaluates_to_the_values(key, in_float64):
    if not CASES[key].source:
        return
    for done in checking.executed(key, in_float64=in_float64):
        if not done.step.bodies:
            checking.check_source(done)


@pytest.mark.parametrize("key", CASES)
def test_costs_are_finite(key):
    for done in checking.executed(key, in_float64=False):
        if not done.step.bodies:
            checking.check_operations(done)


@pytest.mark.parametrize("key", [key for key, case in CASES.items() if case.gradient])
def test_gradients_are_consistent_with_central_differences(key):
    checking.check_gradient(CASES[key], np.random.default_rng(1))
