"""The cache holds only whole, checked files, and says so when it cannot."""

import hashlib
import os
import sys
import time
from pathlib import Path

import pytest

from openbook.data.cache import BrokenDownloadError, CacheEntry, cache_folder, silent
from openbook.errors import FetchError

CONTENT = b"what was promised"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PINNED = CacheEntry(file_name="data.txt", wanted="data", sha256=SHA256)
UNPINNED = CacheEntry(file_name="data.txt", wanted="http://example.org/data.txt")


def bring(*contents: bytes):
    """A download that brings the next of these contents at each attempt, and counts its calls."""
    attempts = []

    def download(target: Path, attempt: int) -> None:
        attempts.append(attempt)
        target.write_bytes(contents[min(attempt, len(contents) - 1)])

    return download, attempts


def test_the_folder_is_the_platforms_unless_the_user_says_otherwise(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENBOOK_CACHE", "~/elsewhere")
    assert cache_folder() == Path.home() / "elsewhere"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENBOOK_CACHE", "here")
    assert cache_folder() == Path.cwd() / "here"
    monkeypatch.setenv("OPENBOOK_CACHE", " ")
    assert cache_folder().name.lower() in ("openbook", "cache")
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize("entry", [PINNED, UNPINNED])
def test_a_file_is_fetched_once_and_found_afterwards(entry, cache):
    assert entry.find() is None
    download, attempts = bring(CONTENT)
    path = entry.fill(download, progress=silent)
    assert path.read_bytes() == CONTENT
    assert entry.find() == path
    assert attempts == [0]
    assert not list(cache.rglob(".partial-*"))


@pytest.mark.parametrize("entry", [PINNED, UNPINNED])
@pytest.mark.parametrize("damage", [b"", b"something else", CONTENT[:-1]])
def test_a_changed_cache_entry_is_noticed(entry, damage):
    path = entry.fill(bring(CONTENT)[0], progress=silent)
    path.write_bytes(damage)
    assert entry.find() is None
    assert entry.fill(bring(CONTENT)[0], progress=silent).read_bytes() == CONTENT
    assert entry.find() == path


def test_a_broken_download_is_tried_once_more():
    said = []
    download, attempts = bring(b"broken", CONTENT)
    assert PINNED.fill(download, progress=said.append).read_bytes() == CONTENT
    assert attempts == [0, 1]
    assert "data.txt has SHA-256" in said[0]
    assert "Trying once more" in said[0]


def test_a_tampered_download_is_refused_and_never_kept(cache):
    download, attempts = bring(b"tampered")
    with pytest.raises(FetchError, match=rf"expected {SHA256[:16]}.*changed on the way.*Refused after 2"):
        PINNED.fill(download, progress=silent)
    assert attempts == [0, 1]
    assert PINNED.find() is None
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_download_that_fails_for_good_is_not_repeated():
    attempts = []

    def download(target: Path, attempt: int) -> None:
        attempts.append(attempt)
        raise FetchError("not there")

    with pytest.raises(FetchError, match="not there"):
        PINNED.fill(download, progress=silent)
    assert attempts == [0]


def test_a_download_killed_half_way_leaves_the_former_file():
    path = UNPINNED.fill(bring(CONTENT)[0], progress=silent)

    def download(target: Path, attempt: int) -> None:
        target.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        UNPINNED.fill(download, progress=silent)
    assert UNPINNED.find() == path
    assert path.read_bytes() == CONTENT


def test_left_over_downloads_are_cleared_after_a_day(cache):
    for name, age_s in (("old", 2 * 86400), ("new", 3600)):
        folder = cache / "sources" / f".partial-{name}"
        folder.mkdir(parents=True)
        os.utime(folder, (time.time() - age_s,) * 2)
    PINNED.fill(bring(CONTENT)[0], progress=silent)
    assert [path.name for path in cache.rglob(".partial-*")] == [".partial-new"]


def test_a_cache_folder_that_cannot_be_made_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(FetchError, match=r"Cannot write to the cache folder .*file.*OPENBOOK_CACHE"):
        PINNED.fill(bring(CONTENT)[0], progress=silent)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a device that is always full")
def test_a_full_disk_is_named():
    def download(target: Path, attempt: int) -> None:
        with Path("/dev/full").open("wb", buffering=0) as full:
            full.write(CONTENT)

    with pytest.raises(FetchError, match="No space left on device"):
        PINNED.fill(download, progress=silent)


def test_the_second_attempt_may_break_in_another_way():
    def download(target: Path, attempt: int) -> None:
        raise BrokenDownloadError(f"cut off the {attempt + 1}. time.")

    with pytest.raises(FetchError, match=r"cut off the 2. time. Refused after 2 attempts"):
        PINNED.fill(download, progress=silent)
