"""Who may ask: only this machine, only with the token, only from the page itself."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openbook.page.answers import refusal

# A picture of a phone has some 10 MB, a third more as a data address.
MAX_REQUEST_BYTES = 48 * 2**20

_NOTEBOOKS = "http://127.0.0.1:* http://localhost:* vscode-webview: vscode-file:"


class Guard:
    """Lets through what bears the token and comes from here; everything goes out with strict headers.

    Args:
        token: the first part of every address.
        port: of the server; 0 in tests that have none.
        is_in_notebook: whether a local notebook may show the page in a frame.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int, is_in_notebook: bool = False) -> None:
        self._app = app
        self._token = token
        self.hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
        self._origins = frozenset(f"http://{host}" for host in self.hosts)
        self._headers = _headers(_NOTEBOOKS if is_in_notebook else "'none'")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        answer = self._with_headers(send)
        problem = self._problem(scope)
        if problem is not None:
            await PlainTextResponse(*problem)(scope, receive, answer)
            return
        token, slash, rest = scope["path"].removeprefix("/").partition("/")
        if not slash:
            await RedirectResponse(f"/{token}/", status_code=308)(scope, receive, answer)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_REQUEST_BYTES:
            sentence = f"This is too much at once: at most {MAX_REQUEST_BYTES // 2**20} MB are taken."
            await refusal(sentence, 400)(scope, receive, answer)
            return
        inner = {**scope, "path": f"/{rest}", "raw_path": None, "root_path": ""}
        await self._app(inner, _limited(receive), answer)

    def _problem(self, scope: Scope) -> tuple[str, int] | None:
        headers = Headers(scope=scope)
        if headers.get("host", "") not in self.hosts:
            return "forbidden", 403
        token = scope["path"].removeprefix("/").partition("/")[0]
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return "not found", 404
        origin = headers.get("origin")
        if origin is not None and origin not in self._origins:
            return "forbidden", 403
        is_foreign = headers.get("sec-fetch-site", "same-origin") in ("cross-site", "same-site")
        # Following a link, or a notebook's frame, is how a page is opened; data is asked for by the page alone.
        if is_foreign and headers.get("sec-fetch-mode", "navigate") != "navigate":
            return "forbidden", 403
        return None

    def _with_headers(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        return send_with_headers


class TooLarge(Exception):
    """The body goes on beyond what is taken."""


def _limited(receive: Receive) -> Receive:
    """The same body; `TooLarge` when it goes beyond the limit without having said so."""
    num_bytes = 0

    async def receive_limited() -> Message:
        nonlocal num_bytes
        message = await receive()
        num_bytes += len(message.get("body", b""))
        if num_bytes > MAX_REQUEST_BYTES:
            raise TooLarge
        return message

    return receive_limited


def _headers(frame_ancestors: str) -> dict[str, str]:
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "media-src": "blob:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": frame_ancestors,
    }
    return {
        "content-security-policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "x-content-type-options": "nosniff",
        # The address holds the token, so it is told to nobody.
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }
