import { describe, expect, test } from "vitest";
import { exact, grouped, percent, short, tiny } from "./numbers";

describe("short", () => {
  test.each([
    [0, "0"],
    [0.500688, "0.50069"],
    [-0.1370912, "-0.13709"],
    [2.5e-7, "2.5e-07"],
    [12345678, "1.2346e+07"],
    [99999.99, "100000"],
    [1, "1"],
    [NaN, "nan"],
    [-Infinity, "-inf"],
    [null, "nan"],
  ])("%s is written %s", (value, text) => expect(short(value)).toBe(text));
});

test("an exact number gives the same float32 again, with no digit too many", () => {
  for (const value of [0.1, 1 / 3, -2.5e-9, 16777217, 0.50068998]) {
    expect(Math.fround(Number(exact(Math.fround(value))))).toBe(Math.fround(value));
  }
  expect(exact(Math.fround(0.1))).toBe("0.1");
});

test("a cell's number is short", () => {
  expect([0, 0.12345, -12.345, 1234.5, 0.0001234].map(tiny)).toEqual(["0", "0.12", "-12.3", "1235", "1e-4"]);
});

test("groups of three digits stand apart and together on a line", () => {
  expect([7, 999, 1115008].map(grouped)).toEqual(["7", "999", "1\u00a0115\u00a0008"]);
});

test("small shares are not called zero", () => {
  expect([0.1234, 0.0001, 0].map(percent)).toEqual(["12.3 %", "< 0.1 %", "0.0 %"]);
});
