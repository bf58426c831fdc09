import { describe, expect, it } from "vitest";
import type { TraceInfo } from "../../lib/api/types";
import { picturesOf, slotsOf, trainedWeights, weightOf } from "./weights";

const weight = { role: "weight", shape: [2, 3] };
const value = { role: "value", shape: [2, 3] };
const trace = {
  values: {
    "a/kernel": weight,
    "a/frozen": weight,
    "optimizer/a_kernel_momentum": weight,
    "gradients/a/kernel": value,
    "updates/a/kernel/rate": { role: "value", shape: [] },
    "updates/a/kernel/step": value,
    "updates/a/kernel": value,
    "updates/optimizer/a_kernel_momentum": value,
  },
} as unknown as TraceInfo;

describe("a training step", () => {
  it("changed the weights that have an update", () => {
    expect(trainedWeights(trace)).toEqual(["a/kernel"]);
  });

  it("knows which weight a value belongs to", () => {
    const weights = ["a/kernel"];
    expect(weightOf("updates/a/kernel/step", weights)).toBe("a/kernel");
    expect(weightOf("gradients/a/kernel", weights)).toBe("a/kernel");
    expect(weightOf("a/kernel", weights)).toBe("a/kernel");
    expect(weightOf("output", weights)).toBeNull();
  });

  it("shows a weight before and after, its gradient and its change", () => {
    expect(picturesOf("a/kernel", trace).map(({ part }) => part)).toEqual(["before", "gradient", "change", "after"]);
    expect(slotsOf("a/kernel", trace)).toEqual([
      { slot: "momentum", before: "optimizer/a_kernel_momentum", after: "updates/optimizer/a_kernel_momentum" },
    ]);
  });
});
