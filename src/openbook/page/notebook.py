"""The page in a notebook's output cell, or in the browser where there is no notebook."""

from __future__ import annotations

import html
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from openbook.page.server import PageServer
from openbook.page.single_file import single_file
from openbook.page.subject import Subject

# What hosted notebooks set; there the browser is on another machine than the server.
_HOSTED = ("COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE", "JUPYTERHUB_SERVICE_PREFIX", "BINDER_SERVICE_HOST")
_HEIGHT_PX = 860
# A notebook holds the whole page in its file, so less is put into it than into a file of its own.
_LIMIT_BYTES = 12 * 2**20


class OpenPage:
    """A page that is open.

    Attributes:
        url: where it is; None where it stands in the notebook itself and has no server.
    """

    def __init__(self, server: PageServer | None) -> None:
        self._server = server
        self.url = None if server is None else server.url

    def close(self) -> None:
        """End the server; what is open in a browser can then no longer ask anything."""
        if self._server is not None:
            self._server.close()

    def __repr__(self) -> str:
        return f"OpenPage({self.url!r})" if self.url else "OpenPage(in this notebook)"


def show(subjects: Sequence[Subject]) -> OpenPage:
    """Show models: in the output cell of a notebook, else in the browser.

    Where the notebook runs on another machine than the browser, the page comes with its values inside, since the
    browser could not reach the server.
    """
    if not _is_notebook():
        server = PageServer(subjects)
        server.start()
        import webbrowser

        webbrowser.open(server.url)
        return OpenPage(server)
    if _is_hosted():
        content = single_file(subjects, say=_say_nothing, limit_bytes=_LIMIT_BYTES)
        _display(_frame(f'srcdoc="{html.escape(content, quote=True)}"'))
        return OpenPage(None)
    server = PageServer(subjects, is_in_notebook=True)
    server.start()
    _display(_frame(f'src="{server.url}"'))
    return OpenPage(server)


def _display(markup: str) -> None:
    ipython: Any = importlib.import_module("IPython.display")
    # As data: of `HTML` with a frame IPython warns that there is `IFrame`, which knows no height in a style.
    ipython.display({"text/html": markup, "text/plain": "<openbook's page>"}, raw=True)


def _is_notebook() -> bool:
    """Whether this code runs in a notebook's kernel, and not in a plain IPython or Python."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"


def _is_hosted() -> bool:
    return any(os.environ.get(name) for name in _HOSTED) or "google.colab" in sys.modules


def _frame(source: str) -> str:
    style = f"width: 100%; height: {_HEIGHT_PX}px; border: 1px solid #8884"
    return f'<iframe {source} style="{style}" allow="clipboard-write"></iframe>'


def _say_nothing(message: str) -> None:
    """In a notebook the cell shows that it is at work."""
