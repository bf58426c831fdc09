"""A trace as the page looks at it: cut to the person's own tokens, with what axes and places mean."""

from __future__ import annotations

import functools
import statistics
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openbook.page import draw_names
from openbook.page.inputs.reading import Json, ReadInput
from openbook.page.kinds import AxisInfo, LastProduct, axis_info, last_product
from openbook.page.subject import Subject
from openbook.program.explain import Explanation
from openbook.program.trace import Trace


class Looked:
    """A trace with its subject and the input that it was made from.

    A text is padded to a length that is compiled already; the padding stands after the text, where a causal model
    never looks, so the values of the text's own positions are what they are without it. Only these are shown.

    Args:
        token_axes: by value id the axes that run over the tokens.
        request: fields of `TraceInfo` that say how it was made.
    """

    def __init__(
        self,
        trace: Trace,
        subject: Subject,
        read: ReadInput,
        *,
        model_id: str,
        mode: str,
        token_axes: Mapping[int, tuple[int, ...]],
        request: Json,
    ) -> None:
        self.trace = trace
        self.subject = subject
        self.read = read
        self.model_id = model_id
        self.mode = mode
        self.request = request
        self._token_axes = token_axes
        if read.token_ids is not None and token_axes:
            trace.real_sizes = {
                value_id: {axis: self._real_size(value_id, axis) for axis in axes}
                for value_id, axes in token_axes.items()
            }
        # Rows of matrices in two dimensions, for `neighbours`, which every row of a matrix shares.
        self.maps: dict[str, np.ndarray] = {}
        self._known_axes: dict[str, AxisInfo] = {}
        # Values that were not captured are computed when asked for, by one thread at a time.
        self._lock = threading.RLock()

    @property
    def num_tokens(self) -> int | None:
        """Positions of the text; None of other inputs."""
        return None if self.read.token_ids is None else len(self.read.token_ids)

    @functools.cached_property
    def says_tokens(self) -> bool:
        """Whether the model predicts tokens, and does not tell texts apart."""
        return self.num_tokens is not None and self.subject.reader.spec().get("target") == "next_token"

    def token_axes(self, name: str) -> tuple[int, ...]:
        """The axes of a value that run over the tokens."""
        return self._token_axes.get(self.trace.id_of(name), ())

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a value as it is shown."""
        value_id = self.trace.id_of(name)
        shape = list(self.trace.shape_of(value_id))
        for axis in self.token_axes(name):
            shape[axis] = self._real_size(value_id, axis)
        return tuple(shape)

    def _real_size(self, value_id: int, axis: int) -> int:
        """Of an axis over the tokens what is not padding; a shifted text has a position more or fewer."""
        size = self.trace.shape_of(value_id)[axis]
        if self.num_tokens is None:
            return size
        return max(0, min(size, self.num_tokens + size - self._padded_length))

    @functools.cached_property
    def _padded_length(self) -> int:
        """Positions of the text with its padding: what nearly all axes over the tokens have."""
        return statistics.mode(
            self.trace.shape_of(value_id)[axis]
            for value_id, axes in self._token_axes.items()
            for axis in axes
        )

    def array(self, name: str) -> np.ndarray:
        """A value as it is shown.

        Raises:
            UsageError: there is none of this name.
        """
        with self._lock:
            array = self.trace[name]
        cut = tuple(slice(size) for size in self.shape(name))
        return array[cut]

    def explain(self, name: str, index: Sequence[int]) -> Explanation:
        """Where one element comes from."""
        with self._lock:
            return self.trace.explain(name, index)

    def element(self, name: str, index: Sequence[int]) -> Any:
        """One captured number."""
        with self._lock:
            return self.trace[name][tuple(index)]

    def axes(self, name: str) -> AxisInfo:
        """What kind of value it is, and what its axes stand for."""
        if name not in self._known_axes:
            self._known_axes[name] = axis_info(self, name)
        return self._known_axes[name]

    @functools.cached_property
    def last_product(self) -> LastProduct:
        """What comes out of the model's last product, and the weights that are in it."""
        return last_product(self.trace, self.outputs[0]) if self.outputs else LastProduct()

    @functools.cached_property
    def outputs(self) -> tuple[str, ...]:
        """Names of the results, the main one first."""
        roles = self.trace.roles
        named = {name: value_id for value_id, name in roles.outputs.items()} | dict(roles.aliases)
        found = [name for name in named if name.split("/")[0] in ("output", "drawn")]
        names = [self.trace.name_of(named[name]) or name for name in sorted(found)]
        return (*dict.fromkeys(names), *(["loss"] if "loss" in named else []))

    @functools.cached_property
    def source(self) -> str:
        """The program as NumPy source."""
        from openbook.program.numpy_source import to_source

        trace = self.trace
        arrays = [trace.array(value_id) for value_id in trace.program.inputs]
        return to_source(trace.program, trace.roles, arrays, title=self.subject.title).text

    @functools.cached_property
    def output_size(self) -> int | None:
        """The size of the main result's last axis."""
        shape = self.shape(self.outputs[0]) if self.outputs else ()
        return shape[-1] if shape else None

    def label(self, name: str, axis: int, position: int) -> str:
        """What a position on an axis stands for, in words; its number where nothing is known."""
        return self.labels(name, axis, [position])[0]

    def labels(self, name: str, axis: int, positions: Sequence[int]) -> list[str]:
        """As `label`, for many positions."""
        kind = self.axes(name).labels[axis]
        reader = self.subject.reader
        if kind == "vocabulary":
            return reader.vocabulary(positions)
        if kind == "tokens" and self.read.token_ids is not None:
            return reader.vocabulary([self.read.token_ids[position] for position in positions])
        if kind == "ranked":
            order = self.array(draw_names.ORDER)
            return reader.vocabulary([int(order[position]) for position in positions])
        if kind == "classes" and self.subject.classes is not None:
            return [self.subject.classes[position] for position in positions]
        if kind == "rows" and self.read.row_names is not None:
            return [self.read.row_names[position] for position in positions]
        if kind == "columns":
            columns = self.columns or []
            return [columns[position] if position < len(columns) else str(position) for position in positions]
        return [str(position) for position in positions]

    @property
    def columns(self) -> Sequence[str] | None:
        """Names of the input's columns, where they are known."""
        found: Sequence[str] | None = getattr(self.subject.reader, "columns", None)
        return found

    def place(self, name: str, index: Sequence[int]) -> str | None:
        """What an element is in the person's own input."""
        if name.startswith("target") and self.num_tokens is not None:
            return None
        return self.subject.reader.place(self.read, name, index)
