import { fireEvent, render, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, test, vi } from "vitest";
import { client } from "../../lib/api/client";
import type { ModelInfo, TraceInfo, ValueInfo } from "../../lib/api/types";
import { exact } from "../../lib/numbers/numbers";
import recorded from "../../test/recorded/forecast.json";
import { expectAccessible } from "../../test/accessible";
import { axisLabels, fittingIndex } from "./labels";
import { picturesFor, planeAxes } from "./pictures";
import ValuePicture from "./ValuePicture.svelte";

const trace = recorded.trace as unknown as TraceInfo;
const model = recorded.model as unknown as ModelInfo;
const { name, base64 } = recorded.kernel;
const numbers = new Float32Array(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer);
const info = (shape: number[], changes: Partial<ValueInfo> = {}): ValueInfo => ({
  shape,
  dtype: "float32",
  kind: "tensor",
  role: "value",
  axes: shape.map(() => ""),
  labels: shape.map(() => ""),
  scratch: [],
  ...changes,
});

afterEach(() => vi.restoreAllMocks());

describe("which pictures a value has", () => {
  test.each<[ValueInfo, string]>([
    [info([], { kind: "scalar" }), "number"],
    [info([64], { kind: "vector" }), "vector"],
    [info([1, 2, 4, 4], { kind: "attention" }), "arcs"],
    [info([1, 26, 26, 8], { kind: "feature_maps" }), "maps"],
    [info([3, 3, 1, 8], { kind: "kernels" }), "kernels"],
    [info([1, 4, 2048], { kind: "logits" }), "bars"],
    [info([1, 16, 3], { kind: "series" }), "lines"],
    [info([1, 4], { kind: "tokens", labels: ["", "tokens"] }), "tokens"],
    [info([2048, 128], { kind: "embedding_table" }), "matrix"],
    [info([2, 3, 4]), "matrix"],
  ])("%j", (value, first) => {
    const pictures = picturesFor(value);
    expect(pictures[0]).toBe(first);
    expect(pictures).toContain("table");
    expect(new Set(pictures).size).toBe(pictures.length);
  });

  test("a table of embeddings has neighbours, a value along the tokens colours them", () => {
    expect(picturesFor(info([2048, 128], { kind: "embedding_table" }))).toContain("neighbours");
    expect(picturesFor(info([1, 4, 128], { labels: ["", "tokens", ""] }))).toContain("tokens");
  });

  test("maps and kernels are planes of height and width, all else of the last two axes", () => {
    expect(planeAxes(info([1, 26, 26, 8], { kind: "feature_maps" }), null, null)).toEqual({ rows: 1, cols: 2 });
    expect(planeAxes(info([3, 3, 1, 8], { kind: "kernels" }), null, null)).toEqual({ rows: 0, cols: 1 });
    expect(planeAxes(info([2, 3, 4]), null, null)).toEqual({ rows: 1, cols: 2 });
    expect(planeAxes(info([2, 3, 4]), 0, 2)).toEqual({ rows: 0, cols: 2 });
    expect(planeAxes(info([2, 3, 4]), 2, 2)).toEqual({ rows: 1, cols: 2 });
  });
});

test("one looks first at the last token; an index that does not fit is brought within bounds", () => {
  const reading = { values: {}, input: { tokens: [{}, {}, {}] } } as unknown as TraceInfo;
  const logits = info([1, 3, 2048], { kind: "logits", labels: ["", "tokens", "vocabulary"] });
  expect(fittingIndex(reading, logits, null)).toEqual([0, 2, 0]);
  expect(fittingIndex(reading, logits, [0, 7, 5000])).toEqual([0, 2, 2047]);
  expect(fittingIndex(reading, logits, [1])).toEqual([0, 2, 0]);
});

test("tokens and classes are the labels of their axes", () => {
  const reading = { input: { tokens: [{ shown: "This" }] } } as unknown as TraceInfo;
  const label = axisLabels(reading, model.input, info([4], { labels: ["tokens"] }), 0)!;
  expect([label(0), label(3)]).toEqual(["This", "3"]);
  const image = { kind: "image", classes: ["cat", "dog"] } as ModelInfo["input"];
  expect(axisLabels(reading, image, info([2], { labels: ["classes"] }), 0)!(1)).toBe("dog");
  expect(axisLabels(reading, image, info([2]), 0)).toBeNull();
});

describe("numbers that are shown are those of the trace", () => {
  async function show(picture: string, index: number[]) {
    vi.spyOn(client, "plane").mockResolvedValue(recorded.plane);
    vi.spyOn(client, "tile").mockResolvedValue(numbers);
    vi.spyOn(client, "series").mockResolvedValue(numbers.slice(24, 48));
    const onactivate = vi.fn();
    const view = render(ValuePicture, { model, trace, name, picture, index, onactivate });
    const grid = await screen.findByRole("grid");
    // The tile comes after the plane is described.
    await vi.waitFor(() => expect(grid.textContent).not.toContain("…"));
    return { ...view, grid, onactivate };
  }

  test("in a matrix", async () => {
    const { grid, container, onactivate } = await show("matrix", [1, 5]);
    expect(within(grid).getByRole("gridcell").textContent).toBe(`${name}[1, 5]: ${exact(numbers[24 + 5]!)}`);
    await fireEvent.keyDown(grid, { key: "ArrowDown" });
    expect(within(grid).getByRole("gridcell").textContent).toBe(`${name}[2, 5]: ${exact(numbers[48 + 5]!)}`);
    await fireEvent.keyDown(grid, { key: "Enter" });
    expect(onactivate).toHaveBeenCalledWith([2, 5]);
    await expectAccessible(container);
  });

  test("in a table, every cell", async () => {
    const { grid, container } = await show("table", [0, 0]);
    const rows = within(grid).getAllByRole("row").slice(1);
    rows.forEach((row, r) => {
      within(row)
        .getAllByRole("gridcell")
        .forEach((cell, c) => expect(cell.textContent).toBe(exact(numbers[r * 24 + c]!)));
    });
    expect(rows).toHaveLength(3);
    await expectAccessible(container);
  });

  test("in a vector", async () => {
    const { grid, container } = await show("vector", [1, 7]);
    expect(within(grid).getByRole("gridcell").textContent).toBe(`${name}[1, 7]: ${exact(numbers[24 + 7]!)}`);
    await expectAccessible(container);
  });
});
