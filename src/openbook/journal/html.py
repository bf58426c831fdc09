"""The journal as one HTML file with everything inside: no address is loaded, every picture has its words."""

from __future__ import annotations

import base64
import html
import itertools
import mimetypes
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["to_html"]

_MARK = re.compile(r"^[ \t]*<!-- openbook .*-->[ \t]*$", re.MULTILINE)
# A picture that is larger is left to its words: the file is to be sent around.
_LARGEST_PICTURE_BYTES = 5_000_000
_ALLOWED = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
_STYLE = """
:root { color-scheme: light dark; }
body { font: 1.05rem/1.55 system-ui, sans-serif; max-width: 50rem; margin: 0 auto; padding: 1.5rem 1rem 4rem;
  color: #1b1b1b; background: #fdfdfc; }
h1, h2, h3 { line-height: 1.25; }
h2 { border-top: 1px solid #767676; padding-top: 1.2rem; margin-top: 2.4rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid #bdbdbd; }
img { max-width: 100%; height: auto; background: #fff; }
pre { overflow-x: auto; padding: .7rem; background: #efefec; }
blockquote { margin: 1rem 0; padding: .1rem 1rem; border-left: 4px solid #0b5a8a; }
a { color: #0b5a8a; }
@media (prefers-color-scheme: dark) {
  body { color: #ececec; background: #191919; }
  pre { background: #262626; }
  a { color: #8cc8f0; }
  blockquote { border-color: #8cc8f0; }
  th, td { border-color: #555; }
}
"""


def to_html(markdown: str, folder: Path) -> str:
    """A whole page from a journal in Markdown.

    Args:
        folder: what pictures are named from.
    """
    from markdown_it import MarkdownIt

    # HTML that somebody wrote into the text is shown as text: nothing in the page can run.
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(_MARK.sub("", markdown))
    title = _title(tokens)
    for token in tokens:
        for child in token.children or ():
            if child.type == "image":
                _put_inside(child, folder)
    body = parser.renderer.render(tokens, parser.options, {})
    body = body.replace("<table>", '<div class="wide" role="region" aria-label="table" tabindex="0"><table>')
    body = body.replace("</table>", "</table></div>").replace("<th>", '<th scope="col">')
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n"
        "</html>\n"
    )


def _title(tokens: Sequence[Token]) -> str:
    for token, following in itertools.pairwise(tokens):
        if token.type == "heading_open" and token.tag == "h1":
            return following.content
    return "Study journal"


def _put_inside(image: Any, folder: Path) -> None:
    """Turn a picture into one that carries its content; into its words where that cannot be."""
    source = str(image.attrs.get("src", ""))
    content = _data_address(source, folder)
    if content is not None:
        image.attrs["src"] = content
        image.attrs["loading"] = "lazy"
        return
    words = image.content or "a picture"
    image.type, image.tag, image.children = "text", "", None
    image.content = f"[{words}: {source}]"


def _data_address(source: str, folder: Path) -> str | None:
    kind = mimetypes.guess_type(source)[0]
    if "://" in source or source.startswith(("data:", "//")) or kind not in _ALLOWED:
        return None
    path = folder / unquote(source)
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_PICTURE_BYTES:
            return None
        content = path.read_bytes()
    except (OSError, ValueError):
        return None
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
