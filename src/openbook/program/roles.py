"""What the arguments and results of a program are called."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from openbook.program.program import Program


@dataclasses.dataclass(frozen=True, kw_only=True)
class Roles:
    """What the program's arguments and results are called.

    Attributes:
        inputs: one name for each input, such as "input/tokens" or "block_1/attention/query/kernel".
        weights: names among these that are weights or optimizer slots.
        outputs: names of outputs that have one, by value id; "loss", "gradients/…", "updates/…".
        aliases: further names of values, by name: an output that only passes on an input, or another output.
    """

    inputs: tuple[str, ...]
    weights: frozenset[str] = frozenset()
    outputs: Mapping[int, str] = dataclasses.field(default_factory=dict)
    aliases: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(
        cls,
        program: Program,
        *,
        inputs: Sequence[str],
        outputs: Sequence[str],
        weights: frozenset[str] = frozenset(),
    ) -> Roles:
        """Names of all inputs and all outputs, in the program's order."""
        named: dict[int, str] = {}
        aliases: dict[str, int] = {}
        for value_id, name in zip(program.outputs, outputs, strict=True):
            if value_id in named or value_id in program.inputs or value_id in program.constants:
                aliases[name] = value_id
            else:
                named[value_id] = name
        return cls(inputs=tuple(inputs), weights=weights, outputs=named, aliases=aliases)
