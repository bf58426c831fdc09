"""Drawing the next token as a trace of its own: temperature, top-k, top-p, the drawn token."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.page import draw_names as names
from openbook.page.answers import number
from openbook.page.inputs.reading import Json
from openbook.page.lines import probabilities_of
from openbook.page.looked import Looked
from openbook.page.programs import Report
from openbook.page.subject import DrawProgram, DrawSettings, Subject
from openbook.program.program import program_of
from openbook.program.reading import Reading
from openbook.program.roles import Roles
from openbook.program.trace import Trace

_NUM_CANDIDATES = 20


class Drawer:
    """Draws tokens of one model; the program is the same for every text, so it is compiled once."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._compiled: dict[Any, Trace] = {}
        self._lock = threading.Lock()

    def draw(self, source: Looked, request: Mapping[str, Any], report: Report) -> tuple[Looked, Json]:
        """Draw the token after one position of a trace; returns the trace of it, `drawn` and `candidates`.

        Args:
            request: `DrawRequest` of docs/page-protocol.md.
        Raises:
            UsageError: the model writes no text, or a setting lies outside its range.
        """
        subject = self._subject
        if subject.draw is None or source.num_tokens is None or source.read.token_ids is None:
            raise UsageError(f"{subject.title} writes no text, so there is no token to draw")
        position = request.get("position", source.num_tokens - 1)
        if not isinstance(position, int) or not 0 <= position < source.num_tokens:
            raise UsageError(f"the text has positions 0…{source.num_tokens - 1}, not {position!r}")
        logits_V = source.array(source.outputs[0])[0, position]
        drawing = subject.draw(logits_V, source.read.token_ids[: position + 1], _settings(request))
        trace = self._traced(drawing, report)
        looked = Looked(
            trace,
            subject,
            source.read,
            model_id=source.model_id,
            mode="draw",
            token_axes={},
            request={"edits": [], "checkpoint": source.request.get("checkpoint")},
        )
        candidates = _candidates(looked)
        [drawn] = [each for each in candidates if each["id"] == int(trace[names.DRAWN])]
        told = {"id": drawn["id"], "text": subject.reader.token_text(drawn["id"]), "shown": drawn["text"]}
        return looked, {"drawn": told, "candidates": candidates}

    def _traced(self, drawing: DrawProgram, report: Report) -> Trace:
        arrays = drawing.arrays
        key = tuple((name, array.shape, str(array.dtype)) for name, array in arrays.items())
        with self._lock:
            if key not in self._compiled:
                report("reading", "Reading how a token is drawn …")
                program = program_of(drawing.function, *arrays.values())
                roles = Roles.of(program, inputs=list(arrays), outputs=[names.DRAWN])
                report("compiling", "Compiling how a token is drawn, once …")
                self._compiled[key] = Trace(Reading(program, roles), list(arrays.values()))
        report("running", "Drawing a token …")
        return self._compiled[key].again(arrays)


def _candidates(looked: Looked) -> list[Json]:
    """`DrawCandidate`s of docs/page-protocol.md: the likeliest tokens after temperature, and the drawn one."""
    trace = looked.trace
    order_V, logits_V, scaled_V = trace[names.ORDER], trace[names.LOGITS], trace[names.SCALED]
    before_V = probabilities_of(logits_V)
    is_kept_V = trace[names.KEPT].copy()
    is_kept_V[0] = True  # the likeliest token always stays
    is_greedy = bool(trace["temperature"] <= 0.0)
    if is_greedy:
        is_kept_V[1:] = False
    sorted_V = trace[names.SORTED]
    after_V = probabilities_of(np.where(is_kept_V, sorted_V, -np.inf))
    [drawn_rank] = np.flatnonzero(order_V == trace[names.DRAWN])
    ranks = [*range(min(_NUM_CANDIDATES, len(order_V)))]
    ranks += [int(drawn_rank)] if drawn_rank not in ranks else []
    tokens = [int(order_V[rank]) for rank in ranks]
    texts = looked.subject.reader.vocabulary(tokens)
    return [
        {
            "id": token,
            "text": text,
            "logit": number(logits_V[token]),
            "before": number(before_V[token]),
            "scaled": number(scaled_V[token]),
            "after": number(after_V[rank]),
            "is_kept": bool(is_kept_V[rank]),
            "subjects": {
                "logit": {"name": names.LOGITS, "index": [token]},
                "scaled": {"name": names.SCALED, "index": [token]},
            },
        }
        for rank, token, text in zip(ranks, tokens, texts, strict=True)
    ]


def _settings(request: Mapping[str, Any]) -> DrawSettings:
    def value(name: str) -> float:
        given = request.get(name)
        if not isinstance(given, int | float) or isinstance(given, bool):
            raise UsageError(f"{name} is a number, not {given!r}")
        return given

    return DrawSettings(
        temperature=float(value("temperature")),
        top_k=int(value("top_k")),
        top_p=float(value("top_p")),
        seed=int(value("seed")),
    )
