"""The application: the built page, and what it asks."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from openbook.errors import OpenbookError
from openbook.page.answers import NoSuchThing, refusal
from openbook.page.guard import TooLarge
from openbook.page.model_routes import model_routes
from openbook.page.trace_routes import trace_routes
from openbook.page.traces import Library

STATIC_FOLDER = Path(__file__).parent / "static"


def make_app(library: Library, *, static_folder: Path = STATIC_FOLDER) -> Starlette:
    """The application behind the guard."""
    app = Starlette(
        routes=[
            Mount(
                "/api",
                routes=[*model_routes(library), *trace_routes(library), Route("/{path:path}", _unknown)],
            ),
            Mount("/", app=_BuiltPage(static_folder)),
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


class _BuiltPage:
    """The built files; their names stay the same, so a browser asks each time whether they changed."""

    def __init__(self, folder: Path) -> None:
        self._index = folder / "index.html"
        self._files = StaticFiles(directory=folder, html=True, check_dir=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._index.is_file():
            text = "The page is not built yet. In the folder of openbook's source: make page\n"
            await PlainTextResponse(text, status_code=503)(scope, receive, send)
            return

        async def send_without_cache(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("cache-control", "no-cache")
            await send(message)

        await self._files(scope, receive, send_without_cache)


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
