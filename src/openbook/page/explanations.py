"""Where a number comes from, as the page asks it, with what its operands are in the person's own input."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.page.answers import number
from openbook.page.inputs.reading import Json
from openbook.page.looked import Looked
from openbook.program.explain import Explanation, Operand, Term, number_text


def explanation_json(looked: Looked, explanation: Explanation) -> Json:
    """`Explanation` of docs/page-protocol.md."""
    evaluated = explanation.evaluate()
    return {
        "name": explanation.name,
        "index": list(explanation.index),
        "value": number(explanation.value),
        "value_text": number_text(explanation.value),
        "kind": explanation.kind,
        "formula": explanation.formula,
        "textbook": explanation.textbook,
        "path": explanation.path,
        "terms": [_term(looked, term) for term in explanation.terms],
        "remainder": number(explanation.remainder) or 0.0,
        "remainder_text": number_text(explanation.remainder),
        "num_terms": explanation.num_terms,
        "evaluated_text": number_text(evaluated),
        "difference": difference(explanation, evaluated),
        "is_leaf": explanation.is_leaf,
        "meaning": looked.place(explanation.name, explanation.index) if explanation.is_leaf else None,
    }


def difference(explanation: Explanation, evaluated: Any) -> float | None:
    """How far NumPy's number is from the captured one, relative to it.

    Where the terms of a sum cancel, the number may be all rounding: then it is measured against its terms.
    """
    one, other = complex(np.asarray(evaluated)), complex(np.asarray(explanation.value))
    if not (np.isfinite(one) and np.isfinite(other)):
        return 0.0 if np.array_equal(one, other, equal_nan=True) else None
    scale = abs(other)
    if explanation.kind == "sum" and explanation.terms:
        sizes = [abs(term.contribution) for term in explanation.terms]
        scale = max(scale, sum(sizes) + (explanation.num_terms - len(sizes)) * min(sizes))
    distance = abs(one - other)
    return 0.0 if distance == 0.0 else float(distance / max(scale, float(np.finfo(np.float32).tiny)))


def _term(looked: Looked, term: Term) -> Json:
    return {
        "contribution": number(term.contribution),
        "contribution_text": number_text(term.contribution),
        "coefficient": number(term.coefficient) or 0.0,
        "operands": [_operand(looked, operand) for operand in term.operands],
    }


def _operand(looked: Looked, operand: Operand) -> Json:
    return {
        "name": operand.name,
        "index": list(operand.index),
        "value": number(operand.value),
        "value_text": number_text(operand.value),
        "meaning": looked.place(operand.name, operand.index),
    }
