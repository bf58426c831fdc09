import { fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { client } from "../../lib/api/client";
import type { ModelInfo, TraceInfo } from "../../lib/api/types";
import { START } from "../../lib/state/address";
import { percent } from "../../lib/numbers/numbers";
import { place } from "../../lib/state/place.svelte";
import { session } from "../../lib/state/session.svelte";
import { expectAccessible } from "../../test/accessible";
import recorded from "../../test/recorded/story.json";
import { paintFrame, type FilmStyle } from "./film/paint";
import { loadShots } from "./film/shots";
import { Player } from "./player.svelte";
import StoryView from "./StoryView.svelte";

const model = recorded.model as unknown as ModelInfo;
const trace = recorded.trace as unknown as TraceInfo;
const draw = recorded.draw as unknown as TraceInfo;
const weights = new Float32Array(Uint8Array.from(atob(recorded.weights.base64), (sign) => sign.charCodeAt(0)).buffer);

beforeEach(() => {
  place.move(START);
  session.main.trace = trace;
  vi.spyOn(client, "plane").mockResolvedValue(recorded.weights.plane);
  vi.spyOn(client, "tile").mockResolvedValue(weights);
  vi.spyOn(client, "series").mockResolvedValue(weights);
  vi.spyOn(client, "top").mockResolvedValue(recorded.top);
  vi.spyOn(client, "draw").mockResolvedValue(draw);
});
afterEach(() => vi.restoreAllMocks());

describe("the story", () => {
  test("begins with its first stage: title, sentence, formula, and each token with its number", async () => {
    const { container } = render(StoryView, { model });
    const [first] = model.story.stages;
    expect(screen.getByRole("heading", { name: new RegExp(first!.title) })).toBeTruthy();
    expect(container.textContent).toContain(first!.explanation);
    const tokens = within(screen.getByRole("list", { name: "Your text as the model's tokens" })).getAllByRole(
      "listitem",
    );
    expect(tokens.map((item) => item.querySelector(".id")!.lastChild!.textContent)).toEqual(
      trace.input.tokens!.map(({ id }) => String(id)),
    );
    await expectAccessible(container);
  });

  test("goes through the tokens by the step buttons and on to the next stage", async () => {
    render(StoryView, { model });
    const on = screen.getByRole("button", { name: "Step on" });
    for (const [position, { shown }] of trace.input.tokens!.entries()) {
      await fireEvent.click(on);
      expect(screen.getByText(new RegExp(`${position + 1} of ${trace.input.tokens!.length}, “${shown}”`))).toBeTruthy();
    }
    await fireEvent.click(on);
    expect(place.current.stage).toBe(model.story.stages[1]!.id);
    await fireEvent.click(screen.getByRole("button", { name: "Step back" }));
    expect(place.current.stage).toBe(model.story.stages[0]!.id);
  });

  test("plays by space and stops by it", async () => {
    render(StoryView, { model });
    const region = screen.getByRole("region", { name: /^Story/ });
    await fireEvent.keyDown(region, { key: " " });
    expect(screen.getByRole("button", { name: "Pause" })).toBeTruthy();
    await fireEvent.keyDown(region, { key: " " });
    expect(screen.getByRole("button", { name: "Play" })).toBeTruthy();
  });

  test("shows the chosen block", async () => {
    place.move({ stage: "weights" });
    render(StoryView, { model });
    await fireEvent.change(screen.getByRole("combobox", { name: "Block" }), { target: { value: "block_2" } });
    expect(place.current.block).toBe("block_2");
    expect(screen.getAllByText(/block_2/).length).toBeGreaterThan(0);
  });

  test("has in focus the key that the query looks at most, until the reader chooses one", async () => {
    place.move({ stage: "weights" });
    vi.spyOn(client, "summaries").mockResolvedValue([]);
    vi.mocked(client.top).mockResolvedValue([{ ...recorded.top[0]!, index: 2 }]);
    render(StoryView, { model });
    const matrix = () => screen.getByRole("grid", { name: /weights/ });
    await waitFor(() => expect(matrix().querySelector("[role=gridcell]")!.getAttribute("aria-colindex")).toBe("3"));
    expect(vi.mocked(client.top).mock.lastCall!.slice(1, 5)).toEqual(["block_1/attention/weights", [0, 0, 3, 0], 3, 1]);
    place.move({ value: "block_1/attention/weights", index: [0, 0, 1, 0] });
    await waitFor(() => expect(matrix().querySelector("[role=gridcell]")!.getAttribute("aria-colindex")).toBe("1"));
  });

  test("draws the next token, with the server's shares before and after, and writes on with it", async () => {
    place.move({ stage: "sampling" });
    const { container } = render(StoryView, { model });
    await waitFor(() => expect(client.draw).toHaveBeenCalled());
    const table = await screen.findByRole("table", { name: /likeliest tokens/ });
    for (const { before, after, is_kept } of draw.candidates!) {
      expect(table.textContent).toContain(percent(before));
      if (is_kept) expect(table.textContent).toContain(percent(after));
    }
    await expectAccessible(container);
    await fireEvent.click(screen.getByRole("button", { name: "Write on with it" }));
    expect(place.current.input).toEqual({ kind: "text", text: `This movie was${draw.drawn!.text}` });
  });

  test("asks for another draw when a setting changes", async () => {
    place.move({ stage: "sampling" });
    render(StoryView, { model });
    await waitFor(() => expect(client.draw).toHaveBeenCalledTimes(1));
    await fireEvent.input(screen.getByRole("slider", { name: "Temperature" }), { target: { value: "1.5" } });
    await waitFor(() => expect(client.draw).toHaveBeenCalledTimes(2));
    expect(vi.mocked(client.draw).mock.lastCall![1]).toMatchObject({ trace: trace.id, temperature: 1.5 });
  });
});

describe("the player", () => {
  test("only changes stages where motion is not wanted", () => {
    vi.spyOn(window, "matchMedia").mockReturnValue({ matches: true } as MediaQueryList);
    const player = new Player({ stages: () => [{ numBeats: 5, numWords: 3 }], stage: () => 0, goTo: vi.fn() });
    player.play();
    expect(player.hasMoved).toBe(false);
    player.pause();
  });
});

describe("the film that is saved", () => {
  const style = Object.fromEntries(
    ["serif", "paper", "raised", "ink", "soft", "rule", "mark", "markSoft", "positive", "negative"].map((one) => [
      one,
      one,
    ]),
  ) as unknown as FilmStyle;

  test("has a shot for each stage, made of the server's numbers", async () => {
    const shots = await loadShots(model, trace, { block: "block_1", head: 0 }, new AbortController().signal, vi.fn());
    expect(shots.map(({ stage }) => stage.id)).toEqual(model.story.stages.map(({ id }) => id));
    const attention = shots.find(({ stage }) => stage.id === "weights")!;
    const [part] = attention.parts;
    expect(part).toMatchObject({ kind: "plane", name: "block_1/attention/weights" });
    if (part!.kind !== "plane") throw new Error("no plane");
    expect([...part!.tile.mean]).toEqual([...weights]);
    expect(part!.rowLabels).toEqual(trace.input.tokens!.map(({ shown }) => shown));
    expect(part!.lit).toEqual([0, 1, 2, 3].map((at) => ({ axis: "row", at })));
  });

  test("writes title, sentence and the tokens' numbers on its frames", async () => {
    const shots = await loadShots(model, trace, { block: null, head: 0 }, new AbortController().signal, vi.fn());
    const written: string[] = [];
    const context = new Proxy({} as CanvasRenderingContext2D, {
      get: (_, name) => {
        if (name === "fillText") return (text: string) => written.push(text);
        if (name === "measureText") return (text: string) => ({ width: text.length * 10 });
        return () => undefined;
      },
      set: () => true,
    });
    paintFrame(context, { shot: shots[0]!, beat: 0, number: 1, of: 9, footer: "reviews" }, style);
    expect(written).toContain(model.story.stages[0]!.title);
    for (const { id } of trace.input.tokens!) expect(written).toContain(String(id));
    expect(written.join(" ")).toContain(model.story.stages[0]!.explanation);
  });
});
