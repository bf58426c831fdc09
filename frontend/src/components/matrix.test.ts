import { fireEvent, render, screen } from "@testing-library/svelte";
import { tick } from "svelte";
import { expect, test, vi } from "vitest";
import { scaleFor } from "../lib/colour/scale";
import { MemoryPlane } from "../lib/planes/memory";
import type { PlaneSource } from "../lib/planes/plane";
import { expectAccessible } from "../test/accessible";
import Matrix from "./Matrix.svelte";
import Vector from "./Vector.svelte";

/** Fixture: element i is i / 8, exact in float32. */
const plane = new MemoryPlane(
  "fixture",
  Float32Array.from({ length: 12 }, (_, i) => i / 8),
  3,
);
const scale = scaleFor(plane.info);

test("a matrix is one tab stop, and tells its size and the focused number", async () => {
  const { container } = render(Matrix, { source: plane, scale, label: "weights", focus: { row: 1, col: 2 } });
  const grid = screen.getByRole("grid", { name: "weights" });
  expect(grid.getAttribute("aria-rowcount")).toBe("3");
  expect(grid.getAttribute("aria-colcount")).toBe("4");
  expect(container.querySelectorAll("[tabindex='0'], button, a, input")).toHaveLength(1);
  const cell = screen.getByRole("gridcell");
  expect(cell.textContent).toContain("[1, 2] 0.75");
  expect(cell.getAttribute("aria-colindex")).toBe("3");
  expect(grid.getAttribute("aria-activedescendant")).toBe(cell.id);
  await expectAccessible(container);
});

test("keys move the focus, ask, centre and zoom", async () => {
  const [onmove, onactivate, oncentre] = [vi.fn(), vi.fn(), vi.fn()];
  const focus = { row: 1, col: 2 };
  render(Matrix, { source: plane, scale, label: "weights", focus, onmove, onactivate, oncentre });
  const grid = screen.getByRole("grid");
  for (const key of ["ArrowDown", "End", "Home"]) await fireEvent.keyDown(grid, { key });
  expect(onmove.mock.calls.map(([cell]) => cell)).toEqual([
    { row: 2, col: 2 },
    { row: 1, col: 3 },
    { row: 1, col: 0 },
  ]);
  await fireEvent.keyDown(grid, { key: "Enter" });
  expect(onactivate).toHaveBeenCalledWith(focus);
  await fireEvent.keyDown(grid, { key: "c" });
  expect(oncentre).toHaveBeenCalledWith(0.75);
});

test("a number is spoken only while the matrix has the focus", async () => {
  const { container } = render(Matrix, { source: plane, scale, label: "weights" });
  const live = container.querySelector("[aria-live]")!;
  expect(live.textContent).toBe("");
  await fireEvent.focus(screen.getByRole("grid"));
  expect(live.textContent).toBe("[0, 0] 0");
});

test("4096 × 4096 numbers make no more elements than twelve, and ask for one tile only", async () => {
  const asked = vi.fn(() => null);
  const huge: PlaneSource = {
    key: "huge",
    info: { num_rows: 4096, num_cols: 4096, min: -1, max: 1, mean: 0, std: 1, num_nonfinite: 0, num_levels: 5 },
    tile: asked,
    load: () => new Promise(() => undefined),
    onload: () => () => undefined,
  };
  const { container } = render(Matrix, { source: huge, scale, label: "huge" });
  await tick();
  expect(container.querySelectorAll("*").length).toBeLessThan(12);
  expect(new Set(asked.mock.calls.map((call) => call.join()))).toEqual(new Set(["0,0,0"]));
  expect(screen.getByRole("gridcell").textContent).toContain("…");
});

test("what could not be had is said", async () => {
  let tell: (error: string | null) => void = () => undefined;
  const failing: PlaneSource = {
    key: "failing",
    info: plane.info,
    tile: () => null,
    load: () => Promise.reject(new Error("gone")),
    onload: (listener) => ((tell = listener), () => undefined),
  };
  render(Matrix, { source: failing, scale, label: "failing" });
  tell("The trace has gone.");
  await tick();
  expect(screen.getByRole("alert").textContent).toBe("The trace has gone.");
});

test("a vector is one row that arrow keys go along", async () => {
  const onmove = vi.fn();
  const source = new MemoryPlane("line", Float32Array.from([0.5, -0.25, NaN, 2]));
  const { container } = render(Vector, { source, label: "bias", focus: 1, onmove });
  expect(screen.getByRole("gridcell").textContent).toContain("[1] -0.25");
  const grid = screen.getByRole("grid", { name: "bias" });
  for (const key of ["ArrowRight", "End", "PageDown"]) await fireEvent.keyDown(grid, { key });
  expect(onmove.mock.calls.map(([at]) => at)).toEqual([2, 3, 2]);
  await expectAccessible(container);
});
