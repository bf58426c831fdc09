import { expect, test } from "vitest";
import { textOf, valuesOf } from "./line";

test("names with values, as the shell takes them", () => {
  expect(valuesOf("size=120, town=Oslo")).toEqual({ size: "120", town: "Oslo" });
  expect(valuesOf(" price = 6,5; town = New York")).toEqual({ price: "6,5", town: "New York" });
  expect(valuesOf('{"size": 120, "town": null}')).toEqual({ size: "120", town: "" });
  expect(valuesOf("{broken")).toEqual({});
});

test("fields become a line, or JSON where a line could be misread", () => {
  expect(textOf({ size: "120", town: "Oslo", sold: "" })).toBe("size=120, town=Oslo");
  expect(textOf({ size: "6,5" })).toBe('{"size":"6,5"}');
  expect(valuesOf(textOf({ size: "6,5", "a=b": "x" }))).toEqual({ size: "6,5", "a=b": "x" });
});
