"""Archives of every kind give the same files; hostile ones are refused or skipped, never unpacked."""

import bz2
import contextlib
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from openbook.data.archive import files_of_archive
from openbook.data.files import FoundFile, Reason
from openbook.errors import DataError

TEXTS = {"a.txt": b"first text", "folder/b.txt": b"second text", "c.csv": b"text\nthird text\n"}


def zip_bytes(files: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tar_bytes(files: dict[str, bytes | tarfile.TarInfo], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def tar_entry(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def read(tmp_path: Path, name: str, content: bytes, **settings):
    """The files found by name, and the reasons for those skipped."""
    path = tmp_path / name
    path.write_bytes(content)
    found = list(files_of_archive(path, **{"max_bytes": 1 << 30, **settings}))
    used = {file.name: file.content for file in found if isinstance(file, FoundFile)}
    return used, {file.name: file.reason for file in found if not isinstance(file, FoundFile)}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("texts.zip", zip_bytes(TEXTS)),
        ("TEXTS.ZIP", zip_bytes(TEXTS, compression=zipfile.ZIP_STORED)),
        ("texts.zip", zip_bytes(TEXTS, compression=zipfile.ZIP_LZMA)),
        ("texts.zip", zip_bytes(TEXTS, compression=zipfile.ZIP_BZIP2)),
        ("texts.tar", tar_bytes(TEXTS, "w")),
        ("texts.tar.gz", tar_bytes(TEXTS)),
        ("texts.tgz", tar_bytes(TEXTS)),
        ("texts.tar.bz2", tar_bytes(TEXTS, "w:bz2")),
        ("texts.tar.xz", tar_bytes(TEXTS, "w:xz")),
    ],
)
def test_every_kind_of_archive_gives_the_same_files(tmp_path, name, content):
    assert read(tmp_path, name, content) == (TEXTS, {})


@pytest.mark.parametrize(
    ("suffix", "compress"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_a_compressed_file_is_one_file(tmp_path, suffix, compress):
    used, _ = read(tmp_path, f"reviews.csv.{suffix}", compress(TEXTS["c.csv"]))
    assert used == {"reviews.csv": TEXTS["c.csv"]}


def test_only_wanted_members_are_read(tmp_path):
    for name, content in (("texts.zip", zip_bytes(TEXTS)), ("texts.tgz", tar_bytes(TEXTS))):
        used, skipped = read(tmp_path, name, content, members=r"folder/\w+\.txt")
        assert (list(used), skipped) == (["folder/b.txt"], {})


UNSAFE = ["../up.txt", "a/../../up.txt", "/etc/up.txt", "\\up.txt", "C:\\up.txt", "C:up.txt", "a\\..\\up.txt"]


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_names_are_skipped_and_counted(tmp_path, name):
    files = {name: b"outside", "good.txt": b"good"}
    for archive, content in (("a.zip", zip_bytes(files)), ("a.tgz", tar_bytes(files))):
        used, skipped = read(tmp_path, archive, content)
        assert used == {"good.txt": b"good"}
        assert list(skipped.values()) == [Reason.UNSAFE_NAME]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.tgz", "a.zip"]


def test_a_leading_dot_folder_is_not_hidden_but_hidden_files_are(tmp_path):
    files = {"./a.txt": b"a", "./.git/config": b"b", "__MACOSX/._a.txt": b"c", ".DS_Store": b"d"}
    used, skipped = read(tmp_path, "a.tgz", tar_bytes(files))
    assert [Path(name).name for name in used] == ["a.txt"]
    assert set(skipped.values()) == {Reason.HIDDEN}


def test_links_and_devices_are_skipped(tmp_path):
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert read(tmp_path, "a.zip", buffer.getvalue()) == ({}, {"link.txt": Reason.LINK})
    entries = {
        "link.txt": tar_entry("link.txt", tarfile.SYMTYPE, "/etc/passwd"),
        "hard.txt": tar_entry("hard.txt", tarfile.LNKTYPE, "../../secret"),
        "pipe.txt": tar_entry("pipe.txt", tarfile.FIFOTYPE),
        "disk.txt": tar_entry("disk.txt", tarfile.BLKTYPE),
        "folder": tar_entry("folder", tarfile.DIRTYPE),
        "good.txt": b"good",
    }
    used, skipped = read(tmp_path, "a.tar", tar_bytes(entries, "w"))
    assert used == {"good.txt": b"good"}
    assert skipped == {
        "link.txt": Reason.LINK,
        "hard.txt": Reason.LINK,
        "pipe.txt": Reason.NO_FILE,
        "disk.txt": Reason.NO_FILE,
    }


def test_encrypted_files_are_skipped(tmp_path):
    content = bytearray(zip_bytes({"secret.txt": b"secret"}))
    content[6] |= 1  # the flag in the local header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    assert read(tmp_path, "a.zip", bytes(content)) == ({}, {"secret.txt": Reason.ENCRYPTED})


def test_one_damaged_file_of_a_zip_is_skipped(tmp_path):
    content = bytearray(zip_bytes({"a.txt": b"a" * 50, "b.txt": b"b" * 50}, compression=zipfile.ZIP_STORED))
    content[content.index(b"a" * 50)] ^= 1
    used, skipped = read(tmp_path, "a.zip", bytes(content))
    assert (list(used), skipped) == (["b.txt"], {"a.txt": Reason.DAMAGED})


BOMB = {"bomb.txt": b"0" * (64 << 20)}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.zip", zip_bytes(BOMB)),
        ("bomb.zip", zip_bytes({f"{number}.txt": b"0" * (4 << 20) for number in range(16)})),
        ("bomb.tar.gz", tar_bytes(BOMB)),
        ("bomb.txt.gz", gzip.compress(BOMB["bomb.txt"])),
        ("bomb.txt.bz2", bz2.compress(BOMB["bomb.txt"])),
    ],
)
def test_a_bomb_is_stopped_by_its_ratio(tmp_path, name, content):
    with pytest.raises(DataError, match=r"more than 200 times its .* as a zip bomb does; refused"):
        read(tmp_path, name, content)


@pytest.mark.parametrize("name", ["large.zip", "large.tar.gz"])
def test_an_archive_over_the_limit_is_stopped(tmp_path, name):
    files = {f"{number}.txt": bytes(range(256)) * 400 for number in range(30)}
    content = zip_bytes(files) if name.endswith("zip") else tar_bytes(files)
    with pytest.raises(DataError, match=r"more than the limit of 1\.0 MiB.*--max-bytes"):
        read(tmp_path, name, content, max_bytes=1 << 20)


def test_a_header_that_lies_about_its_size_gains_nothing(tmp_path):
    content = bytearray(zip_bytes({"liar.txt": b"0" * (32 << 20)}))
    directory = content.index(b"PK\x01\x02")
    for position in (22, directory + 24):
        content[position : position + 4] = struct.pack("<I", 10)
    used, skipped = read(tmp_path, "liar.zip", bytes(content))
    assert sum(map(len, used.values())) <= 10
    assert skipped in ({}, {"liar.txt": Reason.DAMAGED})


def test_a_bomb_in_tar_headers_is_stopped(tmp_path):
    info = tarfile.TarInfo("a.txt")
    info.pax_headers = {"comment": "x" * (40 << 20)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
    with pytest.raises(DataError, match="as a zip bomb does"):
        read(tmp_path, "a.tar.gz", buffer.getvalue())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.zip", zip_bytes(TEXTS)[:-30]),
        ("cut.zip", zip_bytes(TEXTS)[:50]),
        ("empty.zip", b""),
        ("text.zip", b"this is not a zip"),
        ("cut.tar.gz", tar_bytes({"a.txt": bytes(range(256)) * 100})[:-100]),
        ("cut.txt.gz", gzip.compress(bytes(range(256)) * 100)[:-10]),
        ("cut.txt.xz", lzma.compress(bytes(range(256)) * 100)[:-10]),
        ("text.tar.gz", b"this is no tar"),
        ("text.tar", b"this is no tar"),
        ("text.gz", b"this is not compressed"),
        ("empty.gz", b""),
        ("no_tar.tar.gz", gzip.compress(b"this is no tar" * 100)),
    ],
    # Archives hold the time, so they are no names of tests.
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_damaged_archives_are_refused_by_name(tmp_path, name, content):
    with pytest.raises(DataError, match=rf"{name}.*Get the file again"):
        read(tmp_path, name, content)


def test_no_damaged_archive_gives_a_traceback(tmp_path):
    for whole, name in (
        (zip_bytes(TEXTS), "a.zip"),
        (tar_bytes(TEXTS), "a.tar.gz"),
        (tar_bytes(TEXTS, "w"), "a.tar"),
    ):
        for position in range(0, len(whole), max(1, len(whole) // 150)):
            damaged = bytearray(whole)
            damaged[position] ^= 0xFF
            with contextlib.suppress(DataError):
                read(tmp_path, name, bytes(damaged))
