"""Where the page appears: the browser, a notebook's cell, a hosted notebook's cell."""

import html
import sys
import types
import urllib.request
import webbrowser

import pytest

import openbook
from openbook.page import notebook


@pytest.fixture
def cell(monkeypatch):
    """A notebook's kernel, as far as it matters; gives what was shown."""
    shown = []

    class ZMQInteractiveShell:
        pass

    ipython = types.ModuleType("IPython")
    ipython.get_ipython = ZMQInteractiveShell
    display = types.ModuleType("IPython.display")
    display.display = lambda data, raw: shown.append(data["text/html"])
    ipython.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    for name in notebook._HOSTED:
        monkeypatch.delenv(name, raising=False)
    return shown


def test_outside_a_notebook_the_browser_opens(monkeypatch, forecaster, tmp_path):
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path))
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    page = openbook.look(forecaster)
    assert opened == [page.url]
    assert urllib.request.urlopen(f"{page.url}api/state").status == 200
    page.close()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{page.url}api/state")


def test_in_a_notebook_the_cell_frames_the_server(cell, forecaster, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path))
    page = openbook.look([forecaster, forecaster])
    [shown] = cell
    assert f'<iframe src="{page.url}"' in shown
    answer = urllib.request.urlopen(page.url + "api/state")
    assert "http://localhost:*" in answer.headers["content-security-policy"]
    page.close()


def test_in_a_hosted_notebook_the_page_comes_whole(cell, monkeypatch, forecaster, tmp_path):
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path))
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release")
    hostile = '<p title="x">&</p>'
    monkeypatch.setattr(notebook, "single_file", lambda subjects, **options: hostile)
    page = openbook.look(forecaster)
    [shown] = cell
    assert f'srcdoc="{html.escape(hostile)}"' in shown
    assert page.url is None
    page.close()
