"""The beginning of large data: whole lines of a file, a limit for a folder, all of the rest."""

from pathlib import Path

import pytest

from openbook.data.part import beginning_of


def test_small_data_is_read_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("short\n")
    with beginning_of(str(path), max_bytes=1000, limit=10**9) as found:
        assert found == (str(path), None, 1.0)


def test_beginning_of_a_file_ends_at_the_end_of_a_line(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"".join(b"%04d,row\n" % number for number in range(1000)))
    with beginning_of(str(path), max_bytes=1000, limit=10**9) as (source, max_bytes, scale):
        content = Path(source).read_bytes()
        assert source.endswith("rows.csv")
        assert max_bytes is None
        assert content == path.read_bytes()[: len(content)]
        assert content.endswith(b"\n")
        assert 900 < len(content) <= 1000
        assert scale == pytest.approx(9000 / len(content))
    assert not Path(source).exists()


def test_folder_is_read_up_to_a_limit(tmp_path):
    for number in range(10):
        (tmp_path / f"{number}.txt").write_text("x" * 100)
    with beginning_of(str(tmp_path), max_bytes=250, limit=10**9) as found:
        assert found == (str(tmp_path), 250, 4.0)


@pytest.mark.parametrize("name", ["imdb", "nowhere.txt", "https://example.org/a.txt", "", "a\0b"])
def test_what_has_no_size_here_is_left_to_the_reading(name):
    with beginning_of(name, max_bytes=10, limit=10**9) as found:
        assert found == (name, None, 1.0)


def test_archive_is_read_whole(tmp_path):
    path = tmp_path / "texts.zip"
    path.write_bytes(b"x" * 5000)
    with beginning_of(str(path), max_bytes=100, limit=10**9) as found:
        assert found == (str(path), None, 1.0)


def test_whole_is_no_more_than_the_run_will_read(tmp_path):
    for number in range(10):
        (tmp_path / f"{number}.txt").write_text("x" * 100)
    with beginning_of(str(tmp_path), max_bytes=250, limit=500) as found:
        assert found == (str(tmp_path), 250, 2.0)


def test_pictures_beside_the_texts_do_not_count(tmp_path):
    (tmp_path / "a.txt").write_text("x" * 100)
    (tmp_path / "b.png").write_bytes(b"x" * 100_000)
    with beginning_of(str(tmp_path), max_bytes=250, limit=10**9) as found:
        assert found == (str(tmp_path), None, 1.0)


def test_what_the_run_refuses_is_handed_on(tmp_path):
    path = tmp_path / "large.txt"
    path.write_text("line\n" * 1000)
    with beginning_of(str(path), max_bytes=100, limit=1000) as found:
        assert found == (str(path), None, 1.0)


def test_folder_with_one_large_file_is_read_whole(tmp_path):
    (tmp_path / "large.txt").write_text("line\n" * 1000)
    (tmp_path / "small.txt").write_text("line\n")
    with beginning_of(str(tmp_path), max_bytes=1000, limit=10**9) as found:
        assert found == (str(tmp_path), None, 1.0)


def test_wide_characters_are_not_cut(tmp_path):
    path = tmp_path / "wide.txt"
    path.write_text("line\n" * 1000, encoding="utf-16")
    with beginning_of(str(path), max_bytes=1000, limit=10**9) as found:
        assert found == (str(path), None, 1.0)
