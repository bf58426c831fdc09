"""Pyramids against counting by hand, planes of values of every rank."""

import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.page.planes import TILE_SIZE, Pyramid, Pyramids, plane_of

# Means are taken in float32, four at a time.
TOLERANCE = 1e-5


def by_hand(plane, level):
    """Minimum, mean and maximum of each cell's finite elements."""
    size = 2**level
    shape = tuple(-(-length // size) for length in plane.shape)
    cells = np.full((3, *shape), np.nan, np.float64)
    for row, col in np.ndindex(*shape):
        cell = plane[row * size : (row + 1) * size, col * size : (col + 1) * size].astype(np.float64)
        finite = cell[np.isfinite(cell)]
        if finite.size:
            cells[:, row, col] = finite.min(), finite.mean(), finite.max()
    return cells


def whole_level(pyramid, level):
    """A level put together from its tiles."""
    size = 2**level
    rows, cols = (-(-length // size) for length in pyramid.plane_RC.shape)
    whole = np.full((3, rows, cols), np.nan)
    for row in range(-(-rows // TILE_SIZE)):
        for col in range(-(-cols // TILE_SIZE)):
            tile = pyramid.tile(level, row, col)
            top, left = row * TILE_SIZE, col * TILE_SIZE
            whole[:, top : top + tile.shape[-2], left : left + tile.shape[-1]] = tile
    return whole


@pytest.mark.parametrize("shape", [(600, 513), (1024, 1024), (1, 3000), (777, 300)])
@pytest.mark.parametrize("has_holes", [False, True])
def test_every_level_is_minimum_mean_and_maximum_of_its_elements(shape, has_holes, rng):
    plane = rng.normal(size=shape).astype(np.float32)
    if has_holes:
        plane[rng.random(shape) < 0.3] = np.nan
        plane[0, :64] = np.inf
        plane[:40, :40] = -np.inf
    pyramid = Pyramid(plane)
    assert pyramid.num_levels > 1
    for level in range(1, pyramid.num_levels):
        np.testing.assert_allclose(whole_level(pyramid, level), by_hand(plane, level), atol=TOLERANCE)
    assert max(pyramid.level(pyramid.num_levels - 1).mean_RC.shape) <= TILE_SIZE


def test_level_zero_is_the_elements_themselves(rng):
    plane = rng.normal(size=(300, 520)).astype(np.float32)
    plane[3, 4], plane[5, 6] = np.nan, np.inf
    pyramid = Pyramid(plane)
    np.testing.assert_array_equal(whole_level(pyramid, 0)[0], plane)
    assert pyramid.tile(0, 1, 2).shape == (300 - TILE_SIZE, 520 - 2 * TILE_SIZE)


@pytest.mark.parametrize("tile", [(0, 5, 0), (0, 0, -1), (9, 0, 0), (-1, 0, 0)])
def test_tiles_that_are_not_there_are_refused(tile):
    with pytest.raises(UsageError):
        Pyramid(np.zeros((10, 10), np.float32)).tile(*tile)


def test_plane_holds_all_axes_but_two(rng):
    array = rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    np.testing.assert_array_equal(plane_of(array, (1, 2, 0, 0), 2, 3), array[1, 2])
    np.testing.assert_array_equal(plane_of(array, (0, 1, 3, 4), 3, 0), array[:, 1, 3, :].T)
    np.testing.assert_array_equal(plane_of(array[0, 0, 0], (), 0, 0), array[0, 0, :1])
    assert plane_of(np.array(True), (), 0, 0).tolist() == [[1.0]]
    np.testing.assert_array_equal(plane_of(np.array([1 + 2j, 3j]), (), 0, 0), [[1.0, 0.0]])


@pytest.mark.parametrize(
    ("at", "rows", "cols"), [((2, 0, 0), 1, 2), ((-1, 0, 0), 1, 2), ((0, 0, 0), 1, 1), ((), 0, 7)]
)
def test_planes_that_are_not_there_are_refused(at, rows, cols):
    with pytest.raises(UsageError):
        plane_of(np.zeros((2, 3, 4)), at, rows, cols)


def test_pyramids_over_the_limit_go_the_oldest_first():
    pyramids = Pyramids(limit_bytes=3 * 400)
    made = []

    def plane():
        made.append(1)
        return np.zeros((10, 10), np.float32)

    for key in (("a", 1), ("b", 1), ("c", 1), ("a", 1), ("d", 1), ("e", 1)):
        pyramids.of(key, plane)
    assert len(made) == 5
    pyramids.of(("a", 1), plane)
    assert len(made) == 5
    pyramids.of(("b", 1), plane)
    assert len(made) == 6
    pyramids.forget("b")
    pyramids.of(("b", 1), plane)
    assert len(made) == 7
