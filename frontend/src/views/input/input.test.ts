import { fireEvent, render, screen } from "@testing-library/svelte";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { client } from "../../lib/api/client";
import type { ModelInfo, TraceInfo } from "../../lib/api/types";
import { START } from "../../lib/state/address";
import { place } from "../../lib/state/place.svelte";
import { session } from "../../lib/state/session.svelte";
import recorded from "../../test/recorded/story.json";
import { expectAccessible } from "../../test/accessible";
import DataGrid from "./DataGrid.svelte";
import DrawingPad from "./DrawingPad.svelte";
import InputBar from "./InputBar.svelte";

const model = recorded.model as unknown as ModelInfo;
const trace = recorded.trace as unknown as TraceInfo;

beforeEach(() => {
  vi.useFakeTimers();
  place.move(START);
  session.main.trace = trace;
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("the input bar for a text", () => {
  test("shows the text, its tokens and what the model says", async () => {
    const { container } = render(InputBar, { model });
    expect(screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Your text" }).value).toBe("This movie was");
    const tokens = screen.getByRole("list", { name: "Your text as the model's tokens" });
    expect(tokens.querySelectorAll("li")).toHaveLength(trace.input.tokens!.length);
    expect(container.textContent).toContain("11.9 %");
    vi.useRealTimers();
    await expectAccessible(container);
  });

  test("splits at once what is typed, and traces after a pause", async () => {
    const preview = vi.spyOn(client, "preview").mockResolvedValue({
      kind: "text",
      text: "So",
      tokens: [{ id: 7, text: "So", shown: "So" }],
      notes: ["It was cut."],
    });
    render(InputBar, { model });
    await fireEvent.input(screen.getByRole("textbox", { name: "Your text" }), { target: { value: "So" } });
    expect(place.current.input).toBeNull();
    await vi.advanceTimersByTimeAsync(70);
    expect(preview).toHaveBeenCalledWith(model.id, { kind: "text", text: "So" }, expect.any(AbortSignal));
    expect(screen.getByText("1 token")).toBeTruthy();
    expect(screen.getByText("It was cut.")).toBeTruthy();
    expect(place.current.input).toBeNull();
    await vi.advanceTimersByTimeAsync(100);
    expect(place.current.input).toEqual({ kind: "text", text: "So" });
  });

  test("another input drops its edits and keeps those of weights", async () => {
    place.move({
      edits: [
        { name: "input/tokens", index: [0, 1], value: 3 },
        { name: "final_norm/scale", index: [0], value: 2 },
      ],
    });
    render(InputBar, { model });
    expect(screen.getByText(/2 numbers are changed/)).toBeTruthy();
    await fireEvent.input(screen.getByRole("textbox", { name: "Your text" }), { target: { value: "So" } });
    await vi.advanceTimersByTimeAsync(200);
    expect(place.current.edits.map(({ name }) => name)).toEqual(["final_norm/scale"]);
  });

  test("offers held-out examples, by arrow keys as well", async () => {
    vi.spyOn(client, "examples").mockResolvedValue(recorded.examples);
    const { container } = render(InputBar, { model });
    await fireEvent.click(screen.getByRole("button", { name: "Held-out examples" }));
    await vi.advanceTimersByTimeAsync(0);
    const list = screen.getByRole("listbox", { name: "Held-out examples" });
    expect(list.querySelectorAll("[role=option]")).toHaveLength(recorded.examples.length);
    await fireEvent.keyDown(list, { key: "ArrowDown" });
    expect(place.current.input).toEqual({ kind: "example", id: recorded.examples[0]!.id });
    await fireEvent.keyDown(list, { key: "ArrowDown" });
    expect(place.current.input).toEqual({ kind: "example", id: recorded.examples[1]!.id });
    vi.useRealTimers();
    await expectAccessible(container);
  });
});

test("rows that came with a model in a file are called examples: nobody held them out", () => {
  render(InputBar, { model: { ...model, has_run: false } });
  expect(screen.getByRole("button", { name: "Examples" })).toBeTruthy();
});

describe("the grid", () => {
  test("is one tab stop; typing replaces the number in focus", async () => {
    const onchange = vi.fn();
    const { container } = render(DataGrid, { label: "Numbers", grid: [[1, 2], [3, 4]], onchange }); // prettier-ignore
    expect(container.querySelectorAll("[tabindex='0']")).toHaveLength(1);
    const grid = screen.getByRole("grid", { name: "Numbers" });
    await fireEvent.keyDown(grid, { key: "ArrowDown" });
    await fireEvent.keyDown(grid, { key: "7" });
    const field = screen.getByRole("textbox");
    await fireEvent.input(field, { target: { value: "7,5" } });
    await fireEvent.keyDown(field, { key: "Enter" });
    expect(onchange).toHaveBeenCalledWith([
      [1, 2],
      [7.5, 4],
    ]);
  });

  test("says what is no number and keeps the old one", async () => {
    const onchange = vi.fn();
    const { container } = render(DataGrid, { label: "Numbers", grid: [[1]], onchange });
    await fireEvent.keyDown(screen.getByRole("grid"), { key: "F2" });
    const field = screen.getByRole("textbox");
    await fireEvent.input(field, { target: { value: "many" } });
    await fireEvent.keyDown(field, { key: "Enter" });
    expect(screen.getByText("“many” is no number.")).toBeTruthy();
    expect(onchange).not.toHaveBeenCalled();
    await fireEvent.keyDown(field, { key: "Escape" });
    expect(screen.queryByRole("textbox")).toBeNull();
    vi.useRealTimers();
    await expectAccessible(container);
  });
});

describe("the drawing pad", () => {
  test("draws by keyboard and clears", async () => {
    const ondraw = vi.fn();
    const { container } = render(DrawingPad, { label: "Pad", ondraw });
    const pad = screen.getByRole("application", { name: "Pad" });
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Undo" }).disabled).toBe(true);
    await fireEvent.focus(pad);
    await fireEvent.keyDown(pad, { key: " " });
    await fireEvent.keyDown(pad, { key: "ArrowRight" });
    expect(ondraw).toHaveBeenCalledTimes(2);
    expect(screen.getByText("Pen down, 54 % across, 50 % down")).toBeTruthy();
    await fireEvent.click(screen.getByRole("button", { name: "Clear" }));
    expect(ondraw).toHaveBeenLastCalledWith(null);
    vi.useRealTimers();
    await expectAccessible(container);
  });
});
