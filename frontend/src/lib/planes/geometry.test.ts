import { describe, expect, test } from "vitest";
import { cellAt, fitCell, levelFor, scrollInto, scrollToCell, visibleTiles, zoomed } from "./geometry";

describe("levelFor", () => {
  test("whole elements are drawn from one device pixel on", () => {
    expect(levelFor(1, 1, 5)).toBe(0);
    expect(levelFor(0.5, 2, 5)).toBe(0);
  });
  test("smaller cells take the level whose cells have a pixel", () => {
    expect(levelFor(0.5, 1, 5)).toBe(1);
    expect(levelFor(0.3, 1, 5)).toBe(2);
    expect(levelFor(0.001, 1, 5)).toBe(4);
  });
});

describe("visibleTiles", () => {
  const size = { numRows: 4096, numCols: 600 };
  test("only what a viewport touches", () => {
    const tiles = visibleTiles({ left: 0, top: 256 * 10, width: 800, height: 300 }, 10, 0, size);
    expect(tiles.map(({ row, col }) => [row, col])).toEqual([[1, 0]]);
  });
  test("the last tile is cut at the border", () => {
    const tiles = visibleTiles({ left: 0, top: 0, width: 600, height: 100 }, 1, 0, size);
    expect(tiles.map(({ firstCol, numCols }) => [firstCol, numCols])).toEqual([
      [0, 256],
      [256, 256],
      [512, 88],
    ]);
  });
  test("a tile of a higher level covers more elements", () => {
    const tiles = visibleTiles({ left: 0, top: 0, width: 150, height: 1024 }, 0.25, 2, size);
    expect(tiles).toHaveLength(4);
    expect(tiles[0]).toMatchObject({ firstRow: 0, numRows: 1024, numCols: 600 });
  });
});

test("a point finds its cell, and none outside", () => {
  expect(cellAt(25, 11, 10, { numRows: 2, numCols: 3 })).toEqual({ row: 1, col: 2 });
  expect(cellAt(31, 0, 10, { numRows: 2, numCols: 3 })).toBeNull();
  expect(cellAt(-1, 0, 10, { numRows: 2, numCols: 3 })).toBeNull();
});

test("a plane is fitted with whole pixels", () => {
  expect(fitCell({ numRows: 30, numCols: 30 }, 320, 400, 44)).toBe(10);
  expect(fitCell({ numRows: 4096, numCols: 4096 }, 1024, 1024, 44)).toBe(0.25);
  expect(fitCell({ numRows: 2, numCols: 2 }, 900, 900, 44)).toBe(44);
});

test("a long plane is no thread: it scrolls", () => {
  expect(fitCell({ numRows: 4, numCols: 2048 }, 600, 480, 44)).toBe(18);
  expect(fitCell({ numRows: 2048, numCols: 140 }, 600, 480, 44)).toBe(2);
});

test("scrolling is as little as possible", () => {
  expect(scrollInto(100, 50, 120, 10)).toBe(100);
  expect(scrollInto(100, 50, 90, 10)).toBe(90);
  expect(scrollInto(100, 50, 150, 10)).toBe(110);
});

test("what scrolls to a cell shows whole cells from the first one on", () => {
  expect(scrollToCell(5, 50, 2, 10)).toBe(5);
  expect(scrollToCell(0, 55, 6, 10)).toBe(20);
  expect(scrollToCell(100, 55, 3, 10)).toBe(30);
  for (const cell of [0.1, 0.3, 7, 21.7])
    for (let position = 0; position < 300; position++) {
      const offset = scrollToCell(0, 20 * cell + 1, position, cell);
      expect(offset).toBeLessThanOrEqual(position * cell + 1e-6);
      expect(offset + 20 * cell + 1).toBeGreaterThanOrEqual((position + 1) * cell - 1e-6);
    }
});

test("zooming in and out stays within bounds", () => {
  expect(zoomed(60, 1)).toBe(64);
  expect(zoomed(6, -1)).toBe(4);
});
