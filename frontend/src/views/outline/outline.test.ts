import { fireEvent, render, screen } from "@testing-library/svelte";
import { afterEach, describe, expect, test, vi } from "vitest";
import { client } from "../../lib/api/client";
import type { TraceInfo } from "../../lib/api/types";
import recorded from "../../test/recorded/forecast.json";
import { expectAccessible } from "../../test/accessible";
import Outline from "./Outline.svelte";

const trace = recorded.trace as unknown as TraceInfo;

afterEach(() => vi.restoreAllMocks());

function show(props: Partial<{ value: string | null; search: string; trace: TraceInfo }> = {}) {
  vi.spyOn(client, "summaries").mockResolvedValue([]);
  const onvalue = vi.fn();
  const view = render(Outline, { trace, value: null, search: "", onvalue, onsearch: () => undefined, ...props });
  return { ...view, onvalue, tree: screen.getByRole("tree") };
}

test("keys unfold, go down and choose; the tree is one tab stop", async () => {
  const { tree, onvalue, container } = show();
  expect(screen.getAllByRole("treeitem").map((item) => item.getAttribute("aria-level"))).not.toContain("2");
  await expectAccessible(container);
  for (const key of ["End", "ArrowRight", "ArrowDown", "Enter"]) await fireEvent.keyDown(tree, { key });
  expect(onvalue).toHaveBeenCalledWith("forecast/kernel");
  await fireEvent.keyDown(tree, { key: "ArrowLeft" });
  await fireEvent.keyDown(tree, { key: "ArrowLeft" });
  expect(screen.getAllByRole("treeitem").map((item) => item.getAttribute("aria-level"))).not.toContain("2");
});

test("a key that means nothing here does what it does elsewhere: Tab leaves the tree", async () => {
  const { tree } = show();
  for (const key of ["Tab", "F5", "a"]) expect(await fireEvent.keyDown(tree, { key })).toBe(true);
  expect(await fireEvent.keyDown(tree, { key: "*" })).toBe(false);
  expect(screen.getAllByRole("treeitem").map((item) => item.getAttribute("aria-level"))).toContain("2");
});

test("the value that is looked at is unfolded and selected", () => {
  show({ value: "lstm/lstm_cell/kernel" });
  expect(screen.getByRole("treeitem", { selected: true }).getAttribute("aria-label")).toContain("lstm_cell/kernel");
});

test("a search lists what has every word", () => {
  show({ search: "forecast bias" });
  expect(screen.getAllByRole("treeitem")).toHaveLength(1);
  expect(screen.getByRole("status").textContent).toBe("1 value found");
});

test("in a search a full name has the room of arrow and histogram", () => {
  const { container } = show({ search: "kernel" });
  expect(container.querySelectorAll(".found .label").length).toBeGreaterThan(0);
  expect(container.querySelectorAll(".found .arrow, .found .empty, .found canvas, .found svg")).toHaveLength(0);
});

describe("a row out of view", () => {
  const reading = { ...trace.values["output"]!, role: "input" as const };
  const values = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`reading_${i}`, reading]));
  const many = { ...trace, id: "rows", values };
  /** A box of 600 pixels that begins 368 above the end of the window. */
  const inBox = () => {
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(600);
    vi.spyOn(HTMLElement.prototype, "getBoundingClientRect").mockReturnValue({
      top: window.innerHeight - 368,
    } as DOMRect);
  };

  test("scrolls by one row where the reader walks to it", async () => {
    inBox();
    const { tree } = show({ trace: many });
    for (let i = 0; i < 12; i++) await fireEvent.keyDown(tree, { key: "ArrowDown" });
    expect(tree.scrollTop).toBe(13 * 30 - 368);
  });

  test("comes to the middle of what is seen where the value is another's choice", async () => {
    inBox();
    const props = { trace: many, search: "", onvalue: vi.fn(), onsearch: vi.fn() };
    vi.spyOn(client, "summaries").mockResolvedValue([]);
    const { rerender } = render(Outline, { ...props, value: null });
    await rerender({ ...props, value: "reading_100" });
    expect(screen.getByRole("tree").scrollTop).toBe(100 * 30 - (368 - 30) / 2);
  });
});

test("of ten thousand values only those that are seen are in the document", () => {
  const values = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, i) => [`layer_${i}/output`, trace.values["output"]!]),
  );
  const { container } = show({ trace: { ...trace, id: "many", values }, search: "layer" });
  expect(container.querySelectorAll("[role=treeitem]").length).toBeLessThan(60);
  expect(screen.getByRole("status").textContent).toBe("10000 values found");
});

test("summaries are asked for together, and only for what is seen", async () => {
  show({ trace: { ...trace, id: "fresh" } });
  await Promise.resolve();
  expect(client.summaries).toHaveBeenCalledTimes(1);
  expect(vi.mocked(client.summaries).mock.calls[0]![1].length).toBeLessThan(10);
});
