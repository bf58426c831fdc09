"""What the page asks about a trace: planes, tiles, lines, explanations, files."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from openbook.errors import UsageError
from openbook.page.answers import StrictJson, binary
from openbook.page.comparison import comparison
from openbook.page.explanations import explanation_json
from openbook.page.lines import line, top
from openbook.page.looked import Looked
from openbook.page.neighbours import neighbours
from openbook.page.planes import Pyramid, plane_info, plane_of
from openbook.page.scratch_code import scratch_sources
from openbook.page.sources import source_text
from openbook.page.summaries import summary
from openbook.page.traces import Library


def trace_routes(library: Library) -> list[Route]:
    """The routes under `api/` that begin with a trace, and the comparison of two."""

    def about(answer: Callable[[Looked, Request], Response]) -> Callable[[Request], Response]:
        # A plain function: Starlette runs it in a thread, so that a large value holds nobody up.
        def endpoint(request: Request) -> Response:
            return answer(library.traces.get(request.path_params["trace"]), request)

        return endpoint

    def info(looked: Looked, request: Request) -> Response:
        return StrictJson(library.info(request.path_params["trace"]))

    def pyramid(looked: Looked, request: Request) -> Pyramid:
        name, at = _name(request), _numbers(request, "at")
        rank = len(looked.shape(name))
        rows, cols = _number(request, "rows", max(rank - 2, 0)), _number(request, "cols", max(rank - 1, 0))
        held = tuple(0 if axis in (rows, cols) else position for axis, position in enumerate(at))
        key = (request.path_params["trace"], name, held, rows, cols)
        return library.pyramids.of(key, lambda: plane_of(looked.array(name), held, rows, cols))

    def plane(looked: Looked, request: Request) -> Response:
        return StrictJson(plane_info(pyramid(looked, request)))

    def tile(looked: Looked, request: Request) -> Response:
        level, row, col = (_number(request, name, 0) for name in ("level", "row", "col"))
        return binary(pyramid(looked, request).tile(level, row, col))

    def compare(request: Request) -> Response:
        first, second = (request.query_params.get(name, "") for name in ("first", "second"))
        return StrictJson(
            comparison(
                library.traces.get(first), library.traces.get(second), first_id=first, second_id=second
            )
        )

    trace = "/traces/{trace}"
    return [
        Route(trace, about(info)),
        Route(f"{trace}/summaries", about(_summaries)),
        Route(f"{trace}/plane", about(plane)),
        Route(f"{trace}/tile", about(tile)),
        Route(f"{trace}/series", about(_series)),
        Route(f"{trace}/top", about(_top)),
        Route(f"{trace}/neighbours", about(_neighbours)),
        Route(f"{trace}/explanation", about(_explanation)),
        Route(f"{trace}/array.npy", about(_array)),
        Route(f"{trace}/source", about(_source)),
        Route("/comparison", compare),
        Route("/scratch", lambda request: StrictJson(scratch_sources())),
    ]


def _summaries(looked: Looked, request: Request) -> Response:
    return StrictJson([summary(looked, name) for name in request.query_params.getlist("name")])


def _series(looked: Looked, request: Request) -> Response:
    return binary(line(looked, _name(request), _numbers(request, "at"), _number(request, "axis", 0)))


def _top(looked: Looked, request: Request) -> Response:
    axis, k = _number(request, "axis", 0), _number(request, "k", 10)
    return StrictJson(top(looked, _name(request), _numbers(request, "at"), axis, k))


def _neighbours(looked: Looked, request: Request) -> Response:
    return StrictJson(
        neighbours(looked, _name(request), _number(request, "row", 0), _number(request, "k", 20))
    )


def _explanation(looked: Looked, request: Request) -> Response:
    explanation = looked.explain(_name(request), _numbers(request, "index"))
    return StrictJson(explanation_json(looked, explanation))


def _array(looked: Looked, request: Request) -> Response:
    name = _name(request)
    buffer = io.BytesIO()
    array = np.asarray(looked.array(name))
    # NumPy knows no bfloat16: its numbers are float32 numbers.
    np.save(buffer, array.astype(np.float32) if array.dtype == "bfloat16" else array, allow_pickle=False)
    file_name = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "." for sign in name)
    headers = {"content-disposition": f'attachment; filename="{file_name}.npy"'}
    return Response(buffer.getvalue(), media_type="application/octet-stream", headers=headers)


def _source(looked: Looked, request: Request) -> Response:
    return StrictJson({"text": source_text(looked, request.query_params.get("path", ""))})


def _name(request: Request) -> str:
    name = request.query_params.get("name")
    if name is None:
        raise UsageError("say which value: name=…")
    return name


def _number(request: Request, name: str, default: int) -> int:
    text: Any = request.query_params.get(name, "")
    if text == "":
        return default
    return _whole(text, name)


def _numbers(request: Request, name: str) -> tuple[int, ...]:
    text = request.query_params.get(name, "")
    return tuple(_whole(part, name) for part in text.split(",") if part != "")


def _whole(text: str, name: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise UsageError(f"{name} is whole numbers with commas, not {text[:40]!r}") from None
    if not -(2**53) < number < 2**53:
        raise UsageError(f"{name} is too large")
    return number
