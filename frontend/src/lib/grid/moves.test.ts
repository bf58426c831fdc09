import { expect, test } from "vitest";
import { moveBy } from "./moves";

const size = { numRows: 10, numCols: 5 };
const press = (key: string, held: Partial<KeyboardEvent> = {}) =>
  moveBy({ key, ctrlKey: false, metaKey: false, altKey: false, ...held }, { row: 4, col: 2 }, size, 3);

test("arrows move by one cell and stop at the border", () => {
  expect(press("ArrowUp")).toEqual({ row: 3, col: 2 });
  expect(press("ArrowRight")).toEqual({ row: 4, col: 3 });
  expect(
    moveBy({ key: "ArrowLeft", ctrlKey: false, metaKey: false, altKey: false }, { row: 0, col: 0 }, size, 3),
  ).toEqual({
    row: 0,
    col: 0,
  });
});

test("Home and End stay in the row; with Ctrl they lead to the corners", () => {
  expect(press("Home")).toEqual({ row: 4, col: 0 });
  expect(press("End")).toEqual({ row: 4, col: 4 });
  expect(press("Home", { ctrlKey: true })).toEqual({ row: 0, col: 0 });
  expect(press("End", { ctrlKey: true })).toEqual({ row: 9, col: 4 });
});

test("PageUp and PageDown skip a page", () => {
  expect(press("PageUp")).toEqual({ row: 1, col: 2 });
  expect(press("PageDown")).toEqual({ row: 7, col: 2 });
});

test("other keys are left to the browser", () => {
  expect(press("a")).toBeNull();
  expect(press("ArrowUp", { altKey: true })).toBeNull();
});
