import { describe, expect, test } from "vitest";
import { css, inkOn, paletteNames, paletteOf } from "./palette";
import { colourIndex, recentred, scaleFor } from "./scale";

describe("scaleFor", () => {
  test("values of both signs have zero in the middle and equal reach", () => {
    expect(scaleFor({ min: -1, max: 3 })).toEqual({ palette: "signed", low: -3, centre: 0, high: 3 });
  });
  test("positive values begin at zero where zero is near", () => {
    expect(scaleFor({ min: 0.1, max: 1 })).toMatchObject({ palette: "plain", low: 0, high: 1 });
    expect(scaleFor({ min: 100, max: 101 })).toMatchObject({ low: 100, high: 101 });
  });
  test("negative values stay on the negative side", () => {
    expect(scaleFor({ min: -4, max: 0 })).toEqual({ palette: "signed", low: -4, centre: 0, high: 4 });
  });
});

describe("colourIndex", () => {
  const scale = scaleFor({ min: -2, max: 2 });
  test("ends and middle", () =>
    expect([-9, -2, 0, 2, 9].map((v) => colourIndex(v, scale))).toEqual([0, 0, 128, 255, 255]));
  test("what is not finite has no colour", () => {
    expect([NaN, Infinity, -Infinity].map((v) => colourIndex(v, scale))).toEqual([-1, -1, -1]);
  });
  test("a constant plane has one colour", () =>
    expect(colourIndex(5, { palette: "plain", low: 5, centre: 5, high: 5 })).toBe(128));
  test("recentring puts a number in the middle", () => expect(colourIndex(1.5, recentred(scale, 1.5))).toBe(128));
});

describe("palettes hold without colour", () => {
  const luminance = (colour: number) =>
    0.2126 * (colour & 255) + 0.7152 * ((colour >> 8) & 255) + 0.0722 * ((colour >> 16) & 255);
  test.each([true, false])("one-sided palettes run one way in lightness (dark: %s)", (isDark) => {
    for (const name of ["plain", "grey"] as const) {
      const light = Array.from(paletteOf(name, isDark), luminance);
      const steps = light.slice(1).map((l, i) => l - light[i]!);
      const up = steps.filter((step) => step > 0.5).length;
      const down = steps.filter((step) => step < -0.5).length;
      expect(Math.min(up, down)).toBe(0);
    }
  });
  test.each([true, false])("the ends of the signed palette differ in lightness (dark: %s)", (isDark) => {
    const palette = paletteOf("signed", isDark);
    expect(Math.abs(luminance(palette[0]!) - luminance(palette[255]!))).toBeGreaterThan(40);
  });
  test("ink is read on every colour", () => {
    for (const name of paletteNames) expect(["#000", "#fff"]).toContain(inkOn(paletteOf(name, true)[128]!));
    expect(css(0xff030201)).toBe("rgb(1 2 3)");
  });
});
