"""Where one number comes from: its formula with real operands, its largest terms, and the walk back."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.program.primitives.reason import contributions, evaluate
from openbook.program.primitives.table import Factor, Formula, Given, Index, Reason, Selection, Sum

if TYPE_CHECKING:
    from openbook.program.trace import Trace

# Terms shown; the others are summed up in the remainder.
NUM_TERMS = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Operand:
    """One element that entered a number.

    Attributes:
        name: of the value it belongs to.
        index: of the element, loop times first.
        value: the captured number.
    """

    name: str
    index: Index
    value: Any
    _trace: Trace = dataclasses.field(repr=False, compare=False)
    _value_id: int = dataclasses.field(repr=False, compare=False)

    def explain(self) -> Explanation:
        """Where this number comes from in turn."""
        return self._trace.explain_element(self._value_id, self.index)

    def __str__(self) -> str:
        return f"{place_text(self.name, self.index)} = {number_text(self.value)}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Term:
    """One part of a number.

    Attributes:
        contribution: what it adds to a sum; of other formulas the operand itself. A float, or complex.
        operands: the elements it is made of.
        coefficient: constant factor in a sum.
    """

    contribution: Any
    operands: tuple[Operand, ...]
    coefficient: float = 1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation:
    """The arithmetic behind one captured number.

    Attributes:
        name, index: which number.
        value: the captured number.
        kind: "sum", "formula", "selection", "given", "input", "weight", "constant", or "unknown" where the
            table has no entry.
        formula: as text, with numbers.
        textbook: formula of the textbook operation that this number is the result of, such as a softmax;
            empty where there is none.
        terms: for a sum the largest first.
        remainder: what the terms that are not shown add up to; 0 where all are shown.
        num_terms: how many there are altogether.
        path: layer path of the step.
    """

    name: str
    index: Index
    value: Any
    kind: str
    formula: str
    terms: tuple[Term, ...]
    remainder: Any
    num_terms: int
    path: str = ""
    textbook: str = ""
    _reason: Reason | None = dataclasses.field(default=None, repr=False, compare=False)
    _operands: tuple[np.ndarray, ...] = dataclasses.field(default=(), repr=False, compare=False)

    def evaluate(self) -> Any:
        """The formula computed once more in NumPy, from all of its operands."""
        if self._reason is None:
            return self.value
        return evaluate(self._reason, self._operands)

    @property
    def is_leaf(self) -> bool:
        """Whether the walk back ends here: an input, a weight, a constant, or what depends on no number."""
        return not self.terms

    def __str__(self) -> str:
        lines = [f"{place_text(self.name, self.index)} = {number_text(self.value)}"]
        if self.textbook:
            lines.append(f"  {self.textbook}")
        lines.append(f"  {self.formula}")
        lines += [
            f"  {number_text(term.contribution):>12}  {', '.join(map(str, term.operands))}"
            for term in self.terms
        ]
        if self.num_terms > len(self.terms):
            lines.append(
                f"  {number_text(self.remainder):>12}  the other {self.num_terms - len(self.terms):,} terms"
            )
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A number asked about, with what its step knows, for `explanation_of`."""

    trace: Trace
    name: str
    index: Index
    value: Any
    operands: tuple[np.ndarray, ...]
    operand_ids: tuple[int, ...]
    times: Index
    path: str
    textbook: str


def explanation_of(subject: Subject, reason: Reason) -> Explanation:
    """Turn what the table says about an element into an explanation with names and numbers."""
    if isinstance(reason, Sum):
        parts = contributions(reason, subject.operands)
        sizes = np.abs(parts)
        # A NaN explains all that follows from it, so it comes first.
        by_size = np.argsort(-np.where(np.isnan(sizes), np.inf, sizes), kind="stable")
        order, not_shown = by_size[:NUM_TERMS], by_size[NUM_TERMS:]
        terms = tuple(
            Term(
                contribution=_as_number(parts[row]),
                operands=tuple(
                    _operand(subject, factor.operand, tuple(int(i) for i in factor.indices[row]))
                    for factor in reason.factors
                ),
                coefficient=1.0 if reason.coefficients is None else float(reason.coefficients[row]),
            )
            for row in order
        )
        remainder = _as_number(np.sum(parts[not_shown])) if not_shown.size else 0.0
        formula = f"{_sum_text(reason.text, terms, len(parts), remainder)} = {number_text(subject.value)}"
        return _explanation(subject, reason, "sum", formula, terms, remainder, len(parts))
    if isinstance(reason, Formula):
        operands = [_operand(subject, position, index) for position, index in reason.operands]
        written = reason.text.format(*(number_text(operand.value) for operand in operands))
        terms = tuple(Term(contribution=_as_number(each.value), operands=(each,)) for each in operands)
        formula = f"{written} = {number_text(subject.value)}"
        return _explanation(subject, reason, "formula", formula, terms, 0.0, len(terms))
    if isinstance(reason, Selection):
        chosen = _operand(subject, *reason.chosen)
        deciders = [_operand(subject, position, index) for position, index in reason.deciders]
        terms = (Term(contribution=_as_number(chosen.value), operands=(chosen, *deciders)),)
        others = _candidates_text(subject, reason.candidates)
        formula = f"{chosen} ({reason.why}{others})"
        return _explanation(subject, reason, "selection", formula, terms, 0.0, 1)
    assert isinstance(reason, Given)
    sources = [_operand(subject, position, index) for position, index in reason.operands]
    terms = tuple(Term(contribution=_as_number(each.value), operands=(each,)) for each in sources)
    formula = f"{number_text(subject.value)}: {reason.why}"
    return _explanation(subject, reason, "given", formula, terms, 0.0, len(terms))


def leaf(name: str, index: Index, value: Any, *, kind: str, text: str) -> Explanation:
    """An explanation at which the walk back ends."""
    return Explanation(
        name=name, index=index, value=value, kind=kind, formula=text, terms=(), remainder=0.0, num_terms=0
    )


def loop_result(subject: Subject, position: int, text: str) -> Explanation:
    """What a loop of unknown length made of the element that it began with, the operand at `position`."""
    first = _operand(subject, position, subject.index[len(subject.times) :])
    term = Term(contribution=_as_number(first.value), operands=(first,))
    return Explanation(
        name=subject.name,
        index=subject.index,
        value=subject.value,
        kind="unknown",
        formula=f"{text}; it began with {first}",
        terms=(term,),
        remainder=0.0,
        num_terms=1,
        path=subject.path,
    )


def number_text(value: Any) -> str:
    """A number for people: five digits, or as it is."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, complex | np.complexfloating):
        return f"({complex(value):.5g})"
    return f"{float(value):.5g}"


def place_text(name: str, index: Index) -> str:
    """A value's element as one writes it: `name[0, 3]`."""
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def _explanation(
    subject: Subject,
    reason: Reason,
    kind: str,
    formula: str,
    terms: tuple[Term, ...],
    remainder: Any,
    num_terms: int,
) -> Explanation:
    return Explanation(
        name=subject.name,
        index=subject.index,
        value=subject.value,
        kind=kind,
        formula=formula,
        textbook=subject.textbook,
        terms=terms,
        remainder=remainder,
        num_terms=num_terms,
        path=subject.path,
        _reason=reason,
        _operands=subject.operands,
    )


def _operand(subject: Subject, position: int, index: Index) -> Operand:
    place = (subject.operand_ids[position], (*subject.times, *index))
    value_id, name, full_index = subject.trace.named_element(*place)
    value = subject.operands[position][index]
    return Operand(name=name, index=full_index, value=value, _trace=subject.trace, _value_id=value_id)


def _sum_text(text: str, terms: tuple[Term, ...], num_terms: int, remainder: Any) -> str:
    shown = terms[:3]
    products = []
    for term in shown:
        factors = [number_text(operand.value) for operand in term.operands]
        if term.coefficient != 1.0 or not factors:
            factors.insert(0, number_text(term.coefficient))
        products.append("·".join(factors))
    rest = ""
    if num_terms > len(shown):
        others = sum(term.contribution for term in terms[3:]) + remainder
        rest = f" + {number_text(others)} from {num_terms - len(shown):,} more"
    symbols = text.format(*"xyzuvw") if "{" in text else text
    return f"{symbols}: {' + '.join(products) or '0'}{rest}"


def _candidates_text(subject: Subject, candidates: Factor | None) -> str:
    if candidates is None or len(candidates.indices) <= 1:
        return ""
    return f" among {len(candidates.indices):,}"


def _as_number(value: Any) -> Any:
    """A Python float; complex where the number is."""
    number = complex(value)
    return number if np.iscomplexobj(value) else number.real
