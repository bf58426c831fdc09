"""A notebook: `openbook.look(model, inputs)` shows the page in the output cell."""

import functools
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect

from looking import Home
from page.book import TRACE_TIMEOUT_MS

CELLS = [
    "import openbook, keras, numpy as np\nmodel = keras.Sequential([keras.Input((5,), name='row'), "
    "keras.layers.Dense(3, name='hidden'), keras.layers.Dense(1, name='price')])",
    "openbook.look(model, np.array([[0.5, -1, 2, 0, 3.5]]))",
    # The kernel goes on living while a reader looks: until the test takes this file away.
    "import pathlib, time\nwhile pathlib.Path('looking').exists(): time.sleep(0.1)",
]

RUN = """
import os, sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], 4)
def keep(**_):
    nbformat.write(notebook, sys.argv[1] + ".new")
    os.replace(sys.argv[1] + ".new", sys.argv[1])  # whoever reads finds a whole one
NotebookClient(notebook, timeout=240, kernel_name="python3", on_cell_executed=keep).execute()
"""


@pytest.fixture
def shown_in_cell(home: Home, tmp_path: Path):
    """The HTML that the cell with `openbook.look` puts out, while its kernel is alive."""
    path = tmp_path / "look.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbformat.write(notebook, path)
    (tmp_path / "looking").touch()
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(path)],
        cwd=tmp_path,
        env=home.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        waiting = threading.Event()
        for _ in range(1200):
            outputs = nbformat.read(path, 4).cells[1].outputs
            if outputs or process.poll() is not None:
                break
            waiting.wait(0.1)
        assert outputs, process.communicate()[1] if process.poll() is not None else "the cell put nothing out"
        shown = [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]
        assert len(shown) == 1, outputs
        assert [output for output in outputs if output.output_type == "stream"] == []
        yield shown[0]
    finally:
        (tmp_path / "looking").unlink()
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@pytest.fixture
def notebook_server(tmp_path: Path) -> Iterator[int]:
    """The port of another server on this machine, as Jupyter is: a page of nowhere may not frame a local one."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_page_is_shown_in_the_output_cell(
    shown_in_cell: str, notebook_server: int, page: Page, tmp_path: Path
) -> None:
    assert re.search(r"http://(127\.0\.0\.1|localhost):\d+/", shown_in_cell)
    (tmp_path / "notebook.html").write_text(
        f"<!doctype html><title>A notebook</title>{shown_in_cell}", "utf-8"
    )
    page.goto(f"http://localhost:{notebook_server}/notebook.html")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", level=1)).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    frame.get_by_role("link", name="Values").click()
    expect(frame.get_by_role("grid").first).to_be_visible(timeout=TRACE_TIMEOUT_MS)
