import { fireEvent, render, screen, within } from "@testing-library/svelte";
import { describe, expect, test, vi } from "vitest";
import { scaleFor } from "../lib/colour/scale";
import recorded from "../test/recorded/reviews.json";
import { expectAccessible } from "../test/accessible";
import Bars from "./Bars.svelte";
import Formula from "./Formula.svelte";
import Legend from "./Legend.svelte";
import Lines from "./Lines.svelte";
import Name from "./Name.svelte";
import Tabs from "./Tabs.svelte";
import Tokens from "./Tokens.svelte";

describe("Bars", () => {
  test("labels, probabilities and values are a table; the longest bar is full", async () => {
    const onchoose = vi.fn();
    const { container } = render(Bars, { entries: recorded.top, label: "next tokens", onchoose });
    const rows = within(screen.getByRole("table", { name: "next tokens" }))
      .getAllByRole("row")
      .slice(1);
    expect(rows).toHaveLength(recorded.top.length);
    expect(rows[0]!.textContent).toContain(recorded.top[0]!.value.toPrecision(4));
    expect(container.querySelector<HTMLElement>(".bar span")!.style.width).toBe("100%");
    await fireEvent.click(screen.getAllByRole("button")[1]!);
    expect(onchoose).toHaveBeenCalledWith(recorded.top[1]);
    await expectAccessible(container);
  });
});

describe("Tokens", () => {
  test("arrow keys choose the next one, and there is one tab stop", async () => {
    const onchoose = vi.fn();
    const { container } = render(Tokens, { tokens: recorded.tokens, label: "tokens", chosen: 1, onchoose });
    expect(container.querySelectorAll("[tabindex='0']")).toHaveLength(1);
    await fireEvent.keyDown(screen.getAllByRole("button")[1]!, { key: "ArrowRight" });
    expect(onchoose).toHaveBeenCalledWith(2);
    await expectAccessible(container);
  });
  test("numbers colour them and are told", () => {
    render(Tokens, { tokens: recorded.tokens, label: "tokens", values: [1, -2, 0.5, 0], onchoose: () => undefined });
    const second = screen.getAllByRole("button")[1]!;
    expect(second.getAttribute("aria-label")).toBe("This: -2");
    expect(second.style.background).not.toBe("");
  });
  test("text of tokens is text, whatever stands in it", () => {
    const text = "<img src=x onerror=alert(1)>";
    const { container } = render(Tokens, { tokens: [{ id: 0, text, shown: text }], label: "tokens" });
    expect(container.querySelector("img")).toBeNull();
    expect(container.textContent).toContain(text);
  });
});

test("Tabs: arrows go along, the chosen one is the only tab stop", async () => {
  const onchoose = vi.fn();
  const tabs = [
    { id: "a", title: "A" },
    { id: "b", title: "B" },
  ];
  const { container } = render(Tabs, { label: "pictures", tabs, chosen: "a", onchoose });
  await fireEvent.keyDown(screen.getByRole("tab", { name: "A" }), { key: "ArrowRight" });
  expect(onchoose).toHaveBeenCalledWith("b");
  expect(screen.getByRole("tab", { name: "B" }).tabIndex).toBe(-1);
  await expectAccessible(container);
});

test("Legend: a click centres the colours where it falls", async () => {
  const oncentre = vi.fn();
  render(Legend, { scale: scaleFor({ min: -2, max: 2 }), oncentre });
  const bar = screen.getByRole("button");
  vi.spyOn(bar, "getBoundingClientRect").mockReturnValue({ left: 100, width: 200 } as DOMRect);
  await fireEvent.click(bar, { clientX: 250, detail: 1 });
  expect(oncentre).toHaveBeenCalledWith(1);
});

test("Formula: an equation is text", () => {
  const { container } = render(Formula, { text: "softmax(x)_i = exp(x_i) / Σ_j exp(x_j)" });
  expect(container.textContent).toBe("softmax(x)i = exp(xi) / Σj exp(xj)");
  expect(container.querySelectorAll("sub")).toHaveLength(4);
});

test("Name: only its last parts, with the whole as tooltip", () => {
  const { container } = render(Name, { name: "block_1/attention/query/kernel", parts: 2 });
  expect(container.textContent).toBe("query/kernel");
  expect(container.querySelector("[title]")!.getAttribute("title")).toBe("block_1/attention/query/kernel");
});

test("Lines: a position is a slider's value, its number is told", async () => {
  const onmove = vi.fn();
  const lines = [{ label: "demand", numbers: Float32Array.from([1, 2.5, 4]) }];
  const { container } = render(Lines, { lines, label: "demand over time", focus: 1, onmove });
  const slider = screen.getByRole("slider", { name: "demand over time" });
  expect(slider.getAttribute("aria-valuetext")).toBe("1: 2.5");
  await fireEvent.keyDown(slider, { key: "End" });
  expect(onmove).toHaveBeenCalledWith(2);
  await expectAccessible(container);
});
