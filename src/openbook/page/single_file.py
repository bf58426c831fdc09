"""The page as one file that opens from disk with the network off."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openbook.errors import UsageError
from openbook.page.app import STATIC_FOLDER
from openbook.page.inputs.reading import Json
from openbook.page.saved_content import LIMIT_BYTES, Say, default_requests, saved_content
from openbook.page.subject import Subject
from openbook.page.traces import Library

_SCRIPT = re.compile(r'<script\b[^>]*\bsrc="(?P<path>[^"]+)"[^>]*></script>')
_STYLE = re.compile(r'<link\b[^>]*\brel="stylesheet"[^>]*\bhref="(?P<path>[^"]+)"[^>]*>')
_FONT = re.compile(r"url\((?P<path>[^)\"']+\.woff2)\)")


def single_file(
    subjects: Sequence[Subject],
    inputs: Sequence[Json] | None = None,
    *,
    say: Say,
    limit_bytes: int = LIMIT_BYTES,
    lenses: Sequence[str] = (),
    static_folder: Path = STATIC_FOLDER,
) -> str:
    """The page with its values inside, as HTML.

    Args:
        inputs: what each of the models is run on; its own examples when None.
        say: told what is being done.
        limit_bytes: of values.
        lenses: names of those whose pictures are kept.
    Raises:
        UsageError: the page is not built.
        UsageError, ModelError: an input does not fit.
    """
    index = static_folder / "index.html"
    if not index.is_file():
        raise UsageError("the page is not built yet. In the folder of openbook's source: make page")
    library = Library(subjects)
    chosen = [
        (model_id, given)
        for model_id, subject in library.subjects.items()
        for given in (default_requests(subject) if inputs is None else inputs)
    ]
    content = saved_content(library, chosen, say=say, limit_bytes=limit_bytes, lenses=lenses)
    return _with_everything_inside(index.read_text("utf-8"), static_folder, content)


def _with_everything_inside(html: str, folder: Path, content: Json) -> str:
    scripts = [f"window.__OPENBOOK_SAVED__={_as_script(content)}"]
    found = _SCRIPT.search(html)
    assert found is not None, "the built page has one script"
    scripts.append(_inert((folder / found["path"]).read_text("utf-8")))
    html = html[: found.start()] + html[found.end() :]
    styles = []
    for link in [*_STYLE.finditer(html)]:
        styles.append(_with_fonts(folder / link["path"]))
        html = html.replace(link.group(), "")
    head = "".join(
        (
            f'<meta http-equiv="content-security-policy" content="{_policy(scripts, styles)}">',
            *(f"<style>{style}</style>" for style in styles),
            f"<script>{scripts[0]}</script>",
            f'<script type="module">{scripts[1]}</script>',
        )
    )
    # The policy must stand before everything that it rules; str.replace would be misled by no text in here.
    before, opening, after = html.partition("<head>")
    charset, rest = _split_charset(after)
    return f"{before}{opening}{charset}{head}{rest}"


def _split_charset(text: str) -> tuple[str, str]:
    """The tag that says UTF-8 must be within the first bytes of the file."""
    found = re.match(r"\s*<meta charset=[^>]*>", text)
    return (found.group(), text[found.end() :]) if found else ("", text)


def _as_script(content: Any) -> str:
    """JSON in which no text can end the script or begin a comment, whatever it says."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.encode("utf-8", "replace").decode("utf-8")


def _inert(script: str) -> str:
    """A script whose texts cannot be taken for the end of it."""
    return re.sub(r"<(/script|!--)", r"<\\\1", script, flags=re.IGNORECASE)


def _with_fonts(path: Path) -> str:
    def inside(found: re.Match[str]) -> str:
        font = (path.parent / found["path"]).read_bytes()
        return f"url(data:font/woff2;base64,{base64.b64encode(font).decode()})"

    return _FONT.sub(inside, path.read_text("utf-8"))


def _policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    def hashes(texts: Sequence[str]) -> str:
        digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
        return " ".join(f"'sha256-{digest}'" for digest in digests)

    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {hashes(scripts)}",
            f"style-src {hashes(styles)}",
            "img-src data: blob:",
            "media-src blob:",
            "font-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
