"""The application: the built page, and what it asks."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from openbook.errors import OpenbookError
from openbook.page.answers import NoSuchThing, refusal
from openbook.page.guard import TooLarge
from openbook.page.model_routes import model_routes
from openbook.page.trace_routes import trace_routes
from openbook.page.traces import Library

STATIC_FOLDER = Path(__file__).parent / "static"


def make_app(library: Library, *, static_folder: Path = STATIC_FOLDER) -> Starlette:
    """The application behind the guard."""
    pages: ASGIApp = _not_built
    if (static_folder / "index.html").is_file():
        pages = _NoCache(StaticFiles(directory=static_folder, html=True))
    app = Starlette(
        routes=[
            Mount(
                "/api",
                routes=[*model_routes(library), *trace_routes(library), Route("/{path:path}", _unknown)],
            ),
            Mount("/", app=pages),
        ],
        exception_handlers={
            OpenbookError: _refuse,
            NoSuchThing: _not_there,
            TooLarge: _too_large,
            HTTPException: _http_error,
            Exception: _fault,
        },
    )
    app.state.library = library
    return app


class _NoCache:
    """Built files have the same names in every version, so a browser asks whether they are still the same."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_without_cache(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                assert isinstance(headers, list)
                headers.append((b"cache-control", b"no-cache"))
            await send(message)

        await self._app(scope, receive, send_without_cache)  # type: ignore[arg-type]


async def _not_built(scope: Scope, receive: Receive, send: Send) -> None:
    text = "The page is not built yet. In the folder of openbook's source: make page\n"
    await PlainTextResponse(text, status_code=503)(scope, receive, send)


def _unknown(request: Request) -> Response:
    return refusal("There is no such thing to ask.", 404)


def _refuse(request: Request, error: Exception) -> Response:
    return refusal(str(error), 400)


def _not_there(request: Request, error: Exception) -> Response:
    return refusal(str(error), 404)


def _too_large(request: Request, error: Exception) -> Response:
    return refusal("This is too much at once.", 400)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refusal(error.detail, error.status_code)


def _fault(request: Request, error: Exception) -> Response:
    return refusal(
        "This could not be answered, which is openbook's fault. The terminal shows the details.", 500
    )
