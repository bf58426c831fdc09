"""Pictures with masks: every way in, and what is wrong with some of them."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from openbook.data.masked_pictures import MASKED_CATALOG, load_masked_pictures
from openbook.data.scenes import on_background
from openbook.errors import DataError, UsageError

SIDE = 16


def picture_bytes(array, kind="PNG", mode=None, **options):
    buffer = io.BytesIO()
    image = Image.fromarray(array)
    (image if mode is None else image.convert(mode)).save(buffer, kind, **options)
    return buffer.getvalue()


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(folder)


def load(source):
    return load_masked_pictures(str(source), side=SIDE)


@pytest.fixture
def pairs(rng):
    """Six pictures (H, W, C) and masks of 0 and 255, uint8, by name."""
    found = {}
    for number in range(6):
        picture = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[2 : 5 + number, 3:9] = 255
        found[f"p{number}"] = (picture, mask)
    return found


def in_folders(pairs, mask_options=None):
    files = {f"images/{name}.png": picture_bytes(picture) for name, (picture, _) in pairs.items()}
    return files | {
        f"masks/{name}.png": picture_bytes(mask, **(mask_options or {})) for name, (_, mask) in pairs.items()
    }


def assert_is(found, pairs):
    expected = {picture.tobytes(): (mask > 0).tobytes() for picture, mask in pairs.values()}
    assert found.classes == ("background", "object")
    assert {
        picture.tobytes(): (mask > 0).tobytes()
        for picture, mask in zip(found.pictures_NHWC, found.masks_NHW, strict=True)
    } == expected


def test_masks_in_a_folder_beside_the_pictures(tmp_path, pairs):
    assert_is(load(write(tmp_path, in_folders(pairs))), pairs)


def test_masks_by_their_names(tmp_path, pairs):
    files = {}
    for name, (picture, mask) in pairs.items():
        files |= {f"{name}.png": picture_bytes(picture), f"{name}_mask.png": picture_bytes(mask)}
    assert_is(load(write(tmp_path, files)), pairs)


def test_folders_of_a_split_keep_their_pictures_apart(tmp_path, pairs):
    files = {}
    for number, (picture, mask) in enumerate(pairs.values()):
        side = "train" if number < 3 else "val"
        files |= {
            f"{side}/images/{number % 3}.png": picture_bytes(picture),
            f"{side}/masks/{number % 3}.png": picture_bytes(mask),
        }
    assert_is(load(write(tmp_path, files)), pairs)


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_archive_is_the_same_data_as_its_folder(tmp_path, pairs, suffix):
    files = in_folders(pairs)
    path = tmp_path / f"all{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz") as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    assert load(path).fingerprint == load(write(tmp_path / "folder", files)).fingerprint


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "palette", "alpha"])
def test_mask_may_be_saved_in_any_way(tmp_path, pairs, mode):
    files = in_folders(pairs)
    for name, (picture, mask) in pairs.items():
        if mode == "palette":
            image = Image.fromarray((mask > 0).astype(np.uint8))
            image.putpalette([255, 0, 0, 0, 0, 255])
            array, chosen = np.asarray(image), None
        elif mode == "alpha":
            array, chosen = np.dstack([picture, mask]), None
        else:
            array, chosen = mask, mode
        files[f"masks/{name}.png"] = picture_bytes(array, mode=chosen)
    assert_is(load(write(tmp_path, files)), pairs)


def test_colours_and_numbers_of_masks_are_classes(tmp_path, pairs):
    files = in_folders(pairs)
    coloured = dict(files)
    for name, (_, mask) in pairs.items():
        numbers = (mask > 0).astype(np.uint8)
        numbers[0] = 2
        files[f"masks/{name}.png"] = picture_bytes(numbers)
        colours = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0]], np.uint8)[numbers]
        coloured[f"masks/{name}.png"] = picture_bytes(colours)
    assert load(write(tmp_path / "numbers", files)).classes == ("class 0", "class 1", "class 2")
    found = load(write(tmp_path / "colours", coloured))
    assert found.classes == ("class 0", "class #008000", "class #800000")
    assert (found.masks_NHW[:, 0] == 1).all()


def test_masks_saved_as_jpeg_are_cut_at_the_middle(tmp_path, pairs):
    files = {name: content for name, content in in_folders(pairs).items() if name.startswith("images")}
    for name, (_, mask) in pairs.items():
        files[f"masks/{name}.jpg"] = picture_bytes(mask, "JPEG", quality=90)
    found = load(write(tmp_path, files))
    assert found.classes == ("background", "object")
    share = np.mean([mask > 0 for _, mask in pairs.values()])
    assert found.masks_NHW.mean() == pytest.approx(share, abs=0.05)  # JPEG shifts a border by a pixel at most


def test_cut_outs_are_put_on_a_background_and_told(tmp_path, pairs):
    files = {f"{name}.png": picture_bytes(np.dstack(both)) for name, both in pairs.items()}
    found = load(write(tmp_path, files))
    assert found.classes == ("background", "object")
    assert any("background of random colours" in text for _, text in found.report.rows())
    object_pixels = {picture[mask > 0].tobytes() for picture, mask in pairs.values()}
    assert {
        picture[mask > 0].tobytes()
        for picture, mask in zip(found.pictures_NHWC, found.masks_NHW, strict=True)
    } == object_pixels


def test_background_depends_on_its_seed_alone():
    cut_out = Image.new("RGBA", (12, 10))
    one, again, other = (np.asarray(on_background(cut_out, seed=seed)) for seed in ("a", "a", "b"))
    assert np.array_equal(one, again) and not np.array_equal(one, other)
    assert one.std() > 10


def test_pictures_of_any_kind_and_size_are_brought_to_one(tmp_path, pairs, rng):
    files = in_folders(pairs)
    large = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    mask = picture_bytes(np.kron(np.eye(2, dtype=np.uint8) * 255, np.ones((10, 15), np.uint8)))
    kinds = {
        "jpg": picture_bytes(large, "JPEG"),
        "tif": picture_bytes(large, "TIFF", mode="CMYK"),
        "gif": picture_bytes(large, "GIF", mode="P"),
        "png": picture_bytes((large[..., 0].astype(np.uint16) * 257).astype(np.uint16)),
    }
    for suffix, content in kinds.items():
        files |= {f"images/k{suffix}.{suffix}": content, f"masks/k{suffix}.png": mask}
    found = load(write(tmp_path, files))
    assert found.pictures_NHWC.shape == (10, SIDE, SIDE, 3)
    assert any("4 masks of another size" in text for _, text in found.report.rows())


def test_broken_lonely_and_misshapen_files_are_named(tmp_path, pairs):
    files = in_folders(pairs)
    mask, picture = files["masks/p0.png"], files["images/p0.png"]
    files |= {
        "images/zero.png": b"",
        "images/torn.png": picture[:60],
        "images/alone.png": picture_bytes(255 - pairs["p0"][0]),
        "masks/nobody.png": mask,
        "images/wide.png": picture_bytes(np.zeros((8, 30, 3), np.uint8)),
        "masks/wide.png": mask,
        "readme.txt": b"hello",
    }
    report = load(write(tmp_path, files)).report
    said = " ".join(text for _, text in report.rows())
    assert all(
        name in said for name in ("zero.png", "torn.png", "alone.png", "nobody.png", "wide.png", "30 × 8")
    )
    assert report.numbers["num_pictures"] == 6
    assert report.numbers["num_without_partner"] == 2


def test_empty_mask_is_told_and_all_empty_is_refused(tmp_path, pairs):
    files = in_folders(pairs)
    nothing = picture_bytes(np.zeros((SIDE, SIDE), np.uint8))
    files["masks/p3.png"] = nothing
    warnings = load(write(tmp_path / "one", files)).report.warnings
    assert any("p3.png" in warning and "empty" in warning for warning in warnings)
    files |= {f"masks/{name}.png": nothing for name in pairs}
    with pytest.raises(DataError, match="all masks are empty"):
        load(write(tmp_path / "all", files))


def test_same_picture_counts_once_and_another_mask_is_told(tmp_path, pairs):
    files = in_folders(pairs)
    files |= {"images/again.png": files["images/p1.png"], "masks/again.png": files["masks/p5.png"]}
    report = load(write(tmp_path, files)).report
    assert report.numbers["num_pictures"] == 6
    assert any("another mask" in warning for warning in report.warnings)


@pytest.mark.parametrize("kind", ["no masks", "one picture", "a file", "nothing"])
def test_what_cannot_be_learned_from_says_what_would_do(tmp_path, pairs, kind):
    files = in_folders(pairs)
    if kind == "no masks":
        files = {name: content for name, content in files.items() if name.startswith("images")}
    elif kind == "one picture":
        files = {name: content for name, content in files.items() if "p1" in name}
    folder = write(tmp_path / "all", {} if kind == "nothing" else files)
    (tmp_path / "all").mkdir(exist_ok=True)
    source = tmp_path / "all/images/p1.png" if kind == "a file" else folder
    expected = {"one picture": "two or more", "a file": "is one picture"}.get(kind, "masks/x.png")
    with pytest.raises(DataError, match=expected):
        load(source)


def test_names_of_data_sets_are_near_misses_away():
    with pytest.raises(DataError, match="oxford-pets"):
        load("oxford-pet")
    with pytest.raises(UsageError):
        load(" ")
    assert MASKED_CATALOG["oxford-pets"].classes == {1: "pet", 2: "background", 3: "border"}
