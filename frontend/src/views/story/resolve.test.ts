import { describe, expect, it } from "vitest";
import type { Stage, TraceInfo, ValueInfo } from "../../lib/api/types";
import { blockOf, hasBlocks, indexAt, numBeatsOf, numHeads, positionAt, valuesOf } from "./resolve";

const value = (shape: number[], more: Partial<ValueInfo> = {}): ValueInfo => ({
  shape,
  dtype: "float32",
  kind: "matrix",
  role: "value",
  axes: shape.map(() => ""),
  labels: shape.map(() => ""),
  scratch: [],
  ...more,
});
const weights = value([1, 2, 4, 4], {
  kind: "attention",
  axes: ["batch", "head", "query position", "key position"],
  labels: ["", "", "tokens", "tokens"],
});
const table = value([100, 8], { kind: "embedding_table", role: "weight", labels: ["vocabulary", ""] });
const trace = {
  input: { kind: "text", notes: [], tokens: Array.from({ length: 4 }, (_, id) => ({ id, text: "a", shown: "a" })) },
  values: {
    "block_1/weights": weights,
    "block_2/weights": weights,
    table,
    maps: value([1, 5, 5, 30], { kind: "feature_maps" }),
  },
} as unknown as TraceInfo;
const stage: Stage = {
  id: "s",
  title: "",
  explanation: "",
  formula: "",
  picture: "attention",
  values: ["table", "{block}/weights", "{block}/lost"],
  blocks: ["block_1", "block_2"],
};

describe("a stage of a trace", () => {
  it("has the values of the chosen block that the trace has", () => {
    expect(valuesOf(stage, trace, blockOf(stage, "block_2"))).toEqual(["table", "block_2/weights"]);
    expect(blockOf(stage, "block_9")).toBe("block_1");
    expect(hasBlocks(stage)).toBe(true);
  });

  it("has a beat for each token, and its heads", () => {
    const names = valuesOf(stage, trace, "block_1");
    expect(numBeatsOf(stage, names, trace)).toBe(4);
    expect(numHeads(names, trace)).toBe(2);
    expect(numBeatsOf(stage, ["maps"], trace)).toBe(24);
  });

  it("reveals a draw in three beats", () => {
    expect(numBeatsOf({ ...stage, picture: "sampling" }, [], trace)).toBe(3);
  });

  it("looks at the query of the beat in the chosen head", () => {
    expect(indexAt(trace, weights, 1, 2, 4)).toEqual([0, 1, 2, 0]);
    expect(indexAt(trace, weights, 0, null, 4)).toEqual([0, 0, 3, 0]);
    expect(indexAt(trace, table, 0, 2, 4)).toEqual([0, 0]);
  });

  it("spreads few beats over many places", () => {
    expect([0, 1, 2].map((beat) => positionAt(beat, 3, 101))).toEqual([0, 50, 100]);
  });
});
