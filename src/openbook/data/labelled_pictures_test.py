"""Pictures with classes: every way in, and what is wrong with some of them."""

import gzip
import io
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from openbook.data.class_labels import MAX_CLASSES
from openbook.data.labelled_pictures import load_pictures
from openbook.data.picture_arrays import PictureForm
from openbook.data.split import split_by_content
from openbook.errors import DataError

FORM = PictureForm(height=8, width=8, channels=1, crop="whole")
COLOUR = PictureForm(height=8, width=8, channels=3, crop="whole")


@pytest.fixture
def pictures(rng):
    """Ten pictures of 8 × 8, uint8, and their labels."""
    return rng.integers(0, 256, (10, 8, 8), dtype=np.uint8), np.arange(10) % 2


def picture_bytes(array, kind="PNG", mode=None, **options):
    buffer = io.BytesIO()
    image = Image.fromarray(array)
    (image if mode is None else image.convert(mode)).save(buffer, kind, **options)
    return buffer.getvalue()


def write_folder(folder, pictures, suffix=".png", kind="PNG", **options):
    images, labels = pictures
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / f"class {label}" / f"{number}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture_bytes(image, kind, **options))
    return folder


def idx_bytes(array):
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def as_set(found):
    return {
        (picture.tobytes(), found.classes[label])
        for picture, label in zip(found.pictures_NHWC, found.labels_N, strict=True)
    }


def expected_set(pictures, name="{}"):
    images, labels = pictures
    return {(image.tobytes(), name.format(label)) for image, label in zip(images, labels, strict=True)}


def test_folder_per_class(tmp_path, pictures):
    found = load_pictures(str(write_folder(tmp_path / "all", pictures)), FORM)
    assert found.classes == ("class 0", "class 1")
    assert as_set(found) == expected_set(pictures, "class {}")
    assert found.origin["kind"] == "folder"


def test_zip_of_folders_is_the_same_data(tmp_path, pictures):
    folder = write_folder(tmp_path / "all", pictures)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path))
    of_folder, of_zip = (load_pictures(str(path), FORM) for path in (folder, tmp_path / "all.zip"))
    assert of_zip.fingerprint == of_folder.fingerprint


def test_idx_files_plain_and_zipped(tmp_path, pictures):
    images, labels = pictures
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_bytes(images))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(labels.astype(np.uint8))))
    found = load_pictures(str(tmp_path), FORM)
    assert as_set(found) == expected_set(pictures)


def test_numpy_archive(tmp_path, pictures):
    np.savez(tmp_path / "digits.npz", x_train=pictures[0], y_train=pictures[1])
    assert as_set(load_pictures(str(tmp_path / "digits.npz"), FORM)) == expected_set(pictures)


@pytest.mark.parametrize("has_header", [True, False])
@pytest.mark.parametrize("is_label_first", [True, False])
def test_table_of_pixels(tmp_path, pictures, has_header, is_label_first):
    images, labels = pictures
    pixels = images.reshape(10, -1).copy()
    pixels[:, [0, -1]] = 0  # corners are dark, as those of digits are
    columns = [labels[:, None], pixels] if is_label_first else [pixels, labels[:, None]]
    names = [f"pixel{number}" for number in range(64)]
    names.insert(0 if is_label_first else 64, "label")
    lines = [",".join(map(str, row)) for row in np.hstack(columns).tolist()]
    path = tmp_path / "digits.csv"
    path.write_text("\n".join(([",".join(names)] if has_header else []) + lines))
    found = load_pictures(str(path), FORM)
    assert as_set(found) == expected_set((pixels.reshape(10, 8, 8), labels))


def test_table_of_paths(tmp_path, pictures):
    folder = write_folder(tmp_path / "all", pictures)
    rows = [f"{path.relative_to(tmp_path)},{path.parent.name[-1]}" for path in sorted(folder.rglob("*.png"))]
    (tmp_path / "list.csv").write_text("\n".join(["file,kind", *rows, "../secret.png,0", "gone.png,1"]))
    found = load_pictures(str(tmp_path / "list.csv"), FORM)
    assert as_set(found) == expected_set(pictures)
    assert found.report.numbers["num_skipped"] == 2


def test_any_size_and_format_is_brought_into_form(tmp_path, rng):
    array = rng.integers(0, 256, (37, 51, 3), dtype=np.uint8)
    contents = {
        "a.jpg": picture_bytes(array, "JPEG"),
        "b.png": picture_bytes(array, "PNG", mode="RGBA"),
        "c.gif": picture_bytes(array, "GIF", mode="P"),
        "d.webp": picture_bytes(array[:20], "WEBP"),
        "e.bmp": picture_bytes(array[:10], "BMP"),
        "f.tif": picture_bytes(array[:9], "TIFF", mode="CMYK"),
        "g.png": picture_bytes((array[..., 0].astype(np.uint16) * 257).astype(np.uint16), "PNG"),
    }
    for number, (name, content) in enumerate(contents.items()):
        path = tmp_path / "ab"[number % 2] / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    found = load_pictures(str(tmp_path), COLOUR)
    assert found.pictures_NHWC.shape == (7, 8, 8, 3)
    assert not any(label == "Skipped" for label, _ in found.report.rows())


def test_picture_that_lies_on_its_side_is_turned_upright(tmp_path, rng):
    array = rng.integers(0, 256, (8, 8), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, content in {
        "a/1.png": picture_bytes(array),
        "a/2.png": picture_bytes(array, exif=exif),
        "b/1.png": picture_bytes(255 - array),
        "b/2.png": picture_bytes(array // 2),
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    found = load_pictures(str(tmp_path), FORM)
    assert (np.rot90(array, -1).tobytes(), "a") in as_set(found)


def test_broken_files_are_named_and_left_out(tmp_path, pictures):
    folder = write_folder(tmp_path, pictures)
    (folder / "class 0" / "empty.png").write_bytes(b"")
    (folder / "class 0" / "torn.png").write_bytes(picture_bytes(pictures[0][0])[:40])
    (folder / "class 1" / "notes.txt").write_text("not a picture")
    report = load_pictures(str(folder), FORM).report
    skipped = " ".join(text for label, text in report.rows() if label == "Skipped")
    assert all(name in skipped for name in ("empty.png", "torn.png", "notes.txt"))
    assert report.numbers["num_pictures"] == 10


def test_huge_picture_is_refused_before_it_is_decoded(tmp_path, pictures):
    folder = write_folder(tmp_path, pictures)
    header = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(header, "PNG")
    (folder / "class 0" / "huge.png").write_bytes(header.getvalue())
    report = load_pictures(str(folder), FORM).report
    assert any("huge.png" in text and "million pixels" in text for _, text in report.rows())


def test_same_picture_is_kept_once_so_it_is_on_one_side(tmp_path, pictures):
    images, labels = pictures
    doubled = (np.concatenate([images, images]), np.concatenate([labels, labels]))
    found = load_pictures(str(write_folder(tmp_path, doubled)), FORM)
    assert len(found.labels_N) == 10
    assert found.report.numbers["num_duplicates"] == 10
    train, validation, test = split_by_content(found.hashes, held_out_share=0.3)
    assert sorted([*train, *validation, *test]) == list(range(10))


def test_same_picture_in_two_classes_is_told(tmp_path, pictures):
    folder = write_folder(tmp_path, pictures)
    (folder / "class 1" / "again.png").write_bytes(picture_bytes(pictures[0][0]))
    assert any("another class" in warning for warning in load_pictures(str(folder), FORM).report.warnings)


def test_one_class_is_refused(tmp_path, pictures):
    with pytest.raises(DataError, match="two or more"):
        load_pictures(str(write_folder(tmp_path, (pictures[0], np.zeros(10, int)))), FORM)


def test_class_with_one_picture_is_left_out_and_told(tmp_path, pictures):
    folder = write_folder(tmp_path, pictures)
    (folder / "lone").mkdir()
    (folder / "lone" / "1.png").write_bytes(picture_bytes(255 - pictures[0][0]))
    found = load_pictures(str(folder), FORM)
    assert found.classes == ("class 0", "class 1")
    assert any("lone" in warning for warning in found.report.warnings)


def test_label_column_of_thousands_of_values_is_refused(tmp_path):
    names = ["label", *(f"pixel{number}" for number in range(64))]
    rows = [
        f"{number // 2},{number % 256},{number // 256},{'9,' * 61}7" for number in range(2 * MAX_CLASSES + 20)
    ]
    path = tmp_path / "digits.csv"
    path.write_text("\n".join([",".join(names), *rows]))
    with pytest.raises(DataError, match="Is another column the label"):
        load_pictures(str(path), FORM)


@pytest.mark.parametrize("damage", ["cut", "other half", "no square"])
def test_damaged_data_says_what_is_wrong(tmp_path, pictures, damage):
    images, labels = pictures
    if damage == "cut":
        (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_bytes(images)[:-5])
        (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(labels.astype(np.uint8)))
        message = "cut off"
    elif damage == "other half":
        (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_bytes(images))
        message = "other half"
    else:
        rows = [",".join(["1"] * 60), *[",".join([str(label), *["3"] * 59]) for label in labels]]
        (tmp_path / "digits.csv").write_text("\n".join(rows))
        message = "square number"
    with pytest.raises(DataError, match=message):
        load_pictures(str(tmp_path), FORM)


def test_missing_path_names_what_is_near(tmp_path):
    with pytest.raises(DataError, match="mnist"):
        load_pictures("mnits", FORM)
