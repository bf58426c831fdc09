import { afterEach, describe, expect, test, vi } from "vitest";
import recorded from "../../test/recorded/forecast.json";
import { address, ApiError, Client } from "./client";
import { SavedSource } from "./saved";
import type { SavedPage, TraceInfo, TraceRequest } from "./types";

afterEach(() => vi.unstubAllGlobals());

function answering(body: BodyInit, init: ResponseInit = {}) {
  const fetched = vi.fn(async () => new Response(body, init));
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

test("addresses are relative and repeat lists", () => {
  expect(address("traces/t/summaries", { name: ["a/b", "c d"] })).toBe("api/traces/t/summaries?name=a%2Fb&name=c+d");
});

describe("errors are sentences", () => {
  test("the server's own", async () => {
    answering(JSON.stringify({ error: "This server shows no model 'x'." }), { status: 404 });
    await expect(new Client(null).run("x")).rejects.toEqual(new ApiError("This server shows no model 'x'.", 404));
  });
  test("where no server answers", async () => {
    vi.stubGlobal("fetch", vi.fn().mockRejectedValue(new TypeError("fetch failed")));
    await expect(new Client(null).state()).rejects.toThrow(/does not answer/);
  });
  test("a trace that failed", async () => {
    answering('event: failed\ndata: {"error": "The text has 9 tokens; at most 8 fit."}\n\n');
    const request: TraceRequest = { input: { kind: "text", text: "" }, mode: "forward" };
    await expect(new Client(null).trace("m", request)).rejects.toThrow("The text has 9 tokens; at most 8 fit.");
  });
});

test("a trace tells its progress and ends with the result", async () => {
  answering(`${recorded.events}event: done\ndata: ${JSON.stringify(recorded.trace)}\n\n`);
  const stages: string[] = [];
  const request: TraceRequest = { input: { kind: "arrays", arrays: {} }, mode: "forward" };
  const trace = await new Client(null).trace("m", request, ({ stage }) => stages.push(stage));
  expect(trace.id).toBe(recorded.trace.id);
  expect(stages).toHaveLength(recorded.events.split("event: progress").length - 1);
});

test("axes that run are 0 in the address of a plane, and vectors have none", async () => {
  const fetched = answering("{}");
  await new Client(null).plane("t", { name: "w", at: [3, 1, 2], rows: 0, cols: 2 });
  await new Client(null).plane("t", { name: "b", at: [5], rows: 0, cols: 0 });
  expect(fetched.mock.calls.map((call) => (call as unknown as [string])[0])).toEqual([
    "api/traces/t/plane?name=w&at=0%2C1%2C0&rows=0&cols=2",
    "api/traces/t/plane?name=b&at=0",
  ]);
});

describe("a saved page answers from what was recorded", () => {
  const info = recorded.trace as unknown as TraceInfo;
  const { name, base64 } = recorded.kernel;
  const request: TraceRequest = { input: { kind: "text", text: "hi" }, mode: "forward" };
  const page: SavedPage = {
    answers: { state: { version: "1", models: [], isSaved: true }, "models/m/run": { name: "m" } },
    traces: [{ model: "m", request, info }],
    explanations: { [info.id]: { [`${name}[0,0]`]: recorded.leaf as never } },
    arrays: {},
    shared: { [name]: base64 },
    lenses: [{ model: "m", lens: "filters", request: { settings: {} }, view: { lens: "filters" } as never }],
  };
  const saved = new Client(new SavedSource(page));

  test("lenses that were kept, and a sentence for the others", async () => {
    expect(saved.keptLenses("m")).toEqual(["filters"]);
    expect(await saved.lens("m", "filters", { settings: {} })).toEqual({ lens: "filters" });
    await expect(saved.lens("m", "filters", { settings: { layer: "other" } })).rejects.toThrow("openbook look");
  });

  test("answers, traces and explanations", async () => {
    expect(saved.isSaved).toBe(true);
    expect((await saved.state()).isSaved).toBe(true);
    expect(await saved.run("m")).toEqual({ name: "m" });
    expect(await saved.trace("m", { mode: "forward", edits: [], input: { text: "hi", kind: "text" } })).toBe(info);
    expect(await saved.explanation(info.id, name, [0, 0])).toEqual(recorded.leaf);
  });

  test("the end of a walk is read from the array", async () => {
    const leaf = await saved.explanation(info.id, name, [0, 0]);
    page.explanations[info.id] = {};
    const { meaning, formula, ...rest } = await saved.explanation(info.id, name, [0, 0]);
    page.explanations[info.id] = { [`${name}[0,0]`]: leaf };
    expect(leaf).toMatchObject(rest);
    expect(saved.savedSubjects(info.id, name)).toEqual([[0, 0]]);
  });

  test("planes, summaries and tiles are cut from the whole value as the server cut them", async () => {
    const plane = await saved.plane(info.id, { name, at: [0, 0], rows: 0, cols: 1 });
    expect(plane).toMatchObject({ num_rows: 3, num_cols: 24, num_levels: recorded.plane.num_levels });
    expect(plane.mean).toBeCloseTo(recorded.plane.mean, 6);
    expect(plane.max).toBe(recorded.plane.max);
    const [summary] = await saved.summaries(info.id, [name]);
    expect(summary!.histogram).toEqual(recorded.summaries[0]!.histogram);
    expect(summary!.std).toBeCloseTo(recorded.summaries[0]!.std, 6);
    const tile = await saved.tile(info.id, { name, at: [0, 0], rows: 0, cols: 1, level: 0, row: 0, col: 0 });
    expect(await saved.series(info.id, name, [1, 0], 1)).toEqual(tile.slice(24, 48));
    expect(tile[0]).toBe(Math.fround(recorded.leaf.value));
  });

  test("what is not in the page is said in a sentence", async () => {
    await expect(saved.trace("m", { ...request, mode: "step" })).rejects.toThrow(/does not hold/);
    await expect(saved.explanation(info.id, "output", [0, 0])).rejects.toThrow(/does not hold/);
    expect(saved.arrayAddress(info.id, name)).toBeNull();
  });
});
