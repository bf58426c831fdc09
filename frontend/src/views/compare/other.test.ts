import { describe, expect, test } from "vitest";
import type { ModelInfo } from "../../lib/api/types";
import { START } from "../../lib/state/address";
import { canCompare, differenceOf, otherRequest, possibleDifferences } from "./other";

const model = (id: string, changes: Partial<ModelInfo> = {}) =>
  ({
    id,
    checkpoints: [],
    input: { kind: "text", example: "", max_tokens: 8, target: "none" },
    ...changes,
  }) as unknown as ModelInfo;
const input = { kind: "text", text: "This movie" } as const;

test("what differs stands in the address", () => {
  expect([null, {}, { text: "x" }, { checkpoint: "" }, { model: "b" }].map(differenceOf)).toEqual([
    "input",
    "input",
    "input",
    "checkpoint",
    "model",
  ]);
});

test("only what there is can differ", () => {
  const first = model("a", { checkpoints: [{ id: "s", label: "step 1", step: 1 }] });
  const picture = model("c", { input: { kind: "image" } as ModelInfo["input"] });
  expect(possibleDifferences(first, [first, picture])).toEqual(["input", "checkpoint"]);
  expect(possibleDifferences(picture, [first, picture])).toEqual(["input"]);
  expect(canCompare(first, model("b"))).toBe(true);
});

describe("the other request", () => {
  const place = { ...START, checkpoint: "step-75", edits: [{ name: "w", index: [0], value: 1 }] };
  test("another input keeps checkpoint and edits", () => {
    expect(otherRequest(model("a"), place, input, { text: "That film" })).toEqual({
      model: "a",
      request: {
        input: { kind: "text", text: "That film" },
        mode: "forward",
        checkpoint: "step-75",
        edits: place.edits,
      },
    });
  });
  test("another checkpoint has the same input; the model's own weights are the empty one", () => {
    expect(otherRequest(model("a"), place, input, { checkpoint: "" })?.request.checkpoint).toBeUndefined();
    expect(otherRequest(model("a"), place, input, { checkpoint: "step-1" })?.request).toMatchObject({
      input,
      checkpoint: "step-1",
    });
  });
  test("another model has neither the checkpoint nor the edits", () => {
    expect(otherRequest(model("a"), place, input, { model: "b" })).toEqual({
      model: "b",
      request: { input, mode: "forward" },
    });
  });
  test("nothing is asked before the reader has chosen", () => {
    expect(otherRequest(model("a"), place, input, {})).toBeNull();
    expect(otherRequest(model("a"), place, input, null)).toBeNull();
  });
});
