"""A padded sum tells the terms of its own part; what adds something is never left out."""

import numpy as np

import openbook
from openbook.program.explain import Explanation


def attend(weights, values):
    return weights @ values, weights.max(axis=0)


def explained(trace, name, *index) -> Explanation:
    return trace.explain(name, index)


def test_terms_and_candidates_in_the_padding_are_not_told():
    weights = np.array([0.5, 0.25, 0.25, 0.0, 0.0], np.float32)
    values = np.arange(5, dtype=np.float32)
    trace = openbook.trace(attend, weights, values)
    assert explained(trace, "output/1").num_terms == 5
    trace.real_sizes = {trace.id_of(name): {0: 3} for name in ("input/1", "input/2")}
    shown = explained(trace, "output/1")
    assert shown.num_terms == 3
    assert [term.operands[0].index for term in shown.terms] == [(2,), (1,), (0,)]
    assert shown.evaluate() == shown.value == 0.75
    assert "among 3" in explained(trace, "output/2").formula


def test_term_that_adds_something_is_kept_wherever_it_lies():
    weights = np.array([0.5, 0.0, 0.5], np.float32)
    trace = openbook.trace(attend, weights, np.ones(3, np.float32))
    trace.real_sizes = {trace.id_of("input/1"): {0: 1}}
    shown = explained(trace, "output/1")
    assert shown.num_terms == 2
    assert shown.evaluate() == shown.value == 1.0
