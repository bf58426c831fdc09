import { describe, expect, it } from "vitest";
import type { InputSpec, TraceInfo } from "../../lib/api/types";
import { START } from "../../lib/state/address";
import { firstTarget, needsTarget, targetOf } from "./requests";

const answering = (...labels: string[]) =>
  ({ answer: labels.map((label, index) => ({ label, index, value: 1, probability: 0.5 })) }) as unknown as TraceInfo;
const text: InputSpec = {
  kind: "text",
  example: "",
  max_tokens: 8,
  target: "next_token",
  classes: null,
  targets: null,
};
const number = (name: string, example: unknown) => ({ name, shape: [2], dtype: "float32", columns: null, example });

describe("the target of a step", () => {
  it("is asked for unless an example has its own", () => {
    expect(needsTarget({ ...START, input: { kind: "example", id: "1" } })).toBe(false);
    expect(needsTarget({ ...START, input: { kind: "text", text: "a" } })).toBe(true);
    expect(needsTarget({ ...START, target: " good" })).toBe(false);
  });

  it("begins with the likeliest token that can be written", () => {
    expect(firstTarget(text, answering("<end of text>", " ", " good"))).toBe(" good");
  });

  it("begins with the example's numbers, else with zeros to replace", () => {
    expect(targetOf([number("y", [1, 2])], null)).toEqual([1, 2]);
    expect(targetOf([number("y", null)], null)).toEqual([0, 0]);
    expect(targetOf([number("y", null), number("z", null)], { z: [5, 6] })).toEqual({ y: [0, 0], z: [5, 6] });
  });
});
