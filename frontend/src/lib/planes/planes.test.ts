import { describe, expect, test, vi } from "vitest";
import { Client } from "../api/client";
import { describePlane } from "../values/statistics";
import { planeOf, tileOf, TILE, type WholeValue } from "../values/slicing";
import { ByteCache } from "./cache";
import { average, difference } from "./derived";
import { numberAt, readTile, RemotePlane } from "./plane";

/** Fixture: element i is i, so that a place can be read off its number. */
const counting = (...shape: number[]): WholeValue => ({
  shape,
  numbers: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
});

function planeFrom(value: WholeValue, at: number[], rows: number, cols: number, trace = "t") {
  const whole = planeOf(value, at, rows, cols);
  const client = new Client(null);
  const tile = vi
    .spyOn(client, "tile")
    .mockImplementation(async (_trace, { level, row, col }) =>
      tileOf(whole.numbers, whole.numRows, whole.numCols, level, row, col),
    );
  const info = describePlane(whole.numbers, whole.numRows, whole.numCols);
  return { plane: new RemotePlane(client, trace, { name: "v", at, rows, cols }, info), tile, whole };
}

describe("planes and tiles", () => {
  test("a plane holds the other axes, in either order of rows and columns", () => {
    const value = counting(2, 3, 4);
    expect(Array.from(planeOf(value, [1, 0, 0]).numbers)).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
    const turned = planeOf(value, [1, 0, 0], 2, 1);
    expect([turned.numRows, turned.numCols]).toEqual([4, 3]);
    expect(Array.from(turned.numbers.slice(0, 3))).toEqual([12, 16, 20]);
  });

  test("the last tile is what is left at the border", () => {
    const { numbers, numRows, numCols } = planeOf(counting(300, 270), []);
    const tile = readTile(
      tileOf(numbers, numRows, numCols, 0, 1, 1),
      0,
      1,
      1,
      describePlane(numbers, numRows, numCols),
    );
    expect([tile.height, tile.width]).toEqual([44, 14]);
    expect(tile.mean[0]).toBe(TILE * 270 + TILE);
  });

  test("a cell of level 1 has least, mean and largest of 2 × 2 elements, without those that are not finite", () => {
    const numbers = Float32Array.from([1, 2, NaN, 3, 4, 5, 6, 8, 9]);
    const tile = readTile(tileOf(numbers, 3, 3, 1, 0, 0), 1, 0, 0, describePlane(numbers, 3, 3));
    expect(Array.from(tile.min)).toEqual([1, 5, 6, 9]);
    expect(Array.from(tile.mean)).toEqual([2.5, 5, 7, 9]);
    expect(Array.from(tile.max)).toEqual([4, 5, 8, 9]);
  });

  test("a tile is asked for once, kept, and its coming is told", async () => {
    const { plane, tile } = planeFrom(counting(300, 300), [0, 0], 0, 1, "asked once");
    const told = vi.fn();
    plane.onload(told);
    expect(numberAt(plane, 299, 257)).toBeUndefined();
    expect(numberAt(plane, 299, 258)).toBeUndefined();
    await plane.load(0, 1, 1);
    expect(numberAt(plane, 299, 257)).toBe(299 * 300 + 257);
    expect(tile).toHaveBeenCalledTimes(1);
    expect(told).toHaveBeenCalledWith(null);
  });

  test("a tile that cannot be had is told and not asked for again", async () => {
    const { plane, tile } = planeFrom(counting(2, 2), [0, 0], 0, 1, "fails");
    tile.mockRejectedValue(new Error("The trace has gone."));
    const told = vi.fn();
    plane.onload(told);
    await expect(plane.load(0, 0, 0)).rejects.toThrow("The trace has gone.");
    expect(plane.tile(0, 0, 0)).toBeNull();
    expect(tile).toHaveBeenCalledTimes(1);
    expect(told).toHaveBeenCalledWith("The trace has gone.");
  });

  test("difference and average are made of the same elements", async () => {
    const first = planeFrom(counting(2, 2, 2), [1, 0, 0], 1, 2, "a").plane;
    const second = planeFrom(counting(2, 2, 2), [0, 0, 0], 1, 2, "b").plane;
    expect(Array.from((await difference(first, second, 4).load(0, 0, 0)).mean)).toEqual([4, 4, 4, 4]);
    expect(Array.from((await average([first, second]).load(0, 0, 0)).mean)).toEqual([2, 3, 4, 5]);
    expect(difference(first, second, 4).info).toMatchObject({ min: -4, max: 4, num_rows: 2 });
  });
});

test("planes of unequal size are combined as far as both reach", async () => {
  const small = planeFrom(counting(2, 2), [0, 0], 0, 1, "small").plane;
  const large = planeFrom(counting(3, 3), [0, 0], 0, 1, "large").plane;
  const plane = difference(large, small, 2);
  expect(plane.info).toMatchObject({ num_rows: 2, num_cols: 2, num_levels: 1 });
  expect(Array.from((await plane.load(0, 0, 0)).mean)).toEqual([0, 0, 1, 1]);
});

test("the cache lets go of what was used least recently", () => {
  const cache = new ByteCache<string>(10);
  cache.set("a", "A", 4);
  cache.set("b", "B", 4);
  cache.get("a");
  cache.set("c", "C", 4);
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual(["A", undefined, "C"]);
  expect(cache.bytes).toBe(8);
});
