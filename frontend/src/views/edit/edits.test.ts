import { describe, expect, it } from "vitest";
import type { TraceInfo } from "../../lib/api/types";
import { editableNames, findEdit, withEdit, withoutEdit } from "./edits";

const first = { name: "a", index: [0, 1], value: 2 };
const second = { name: "a", index: [1, 0], value: 3 };

describe("edits", () => {
  it("hold one number for each element", () => {
    expect(withEdit([first, second], { ...first, value: 9 })).toEqual([second, { ...first, value: 9 }]);
    expect(withoutEdit([first, second], { name: "a", index: [1, 0] })).toEqual([first]);
    expect(findEdit([first], { name: "a", index: [0, 1] })).toBe(first);
    expect(findEdit([first], { name: "b", index: [0, 1] })).toBeNull();
  });

  it("are of inputs and weights", () => {
    const values = {
      kernel: { role: "weight" },
      "input/x": { role: "input" },
      "optimizer/learning_rate": { role: "weight" },
      output: { role: "value" },
    };
    expect(editableNames({ values } as unknown as TraceInfo)).toEqual(["input/x", "kernel"]);
  });
});
