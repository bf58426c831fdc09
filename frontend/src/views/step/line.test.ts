import { describe, expect, it } from "vitest";
import type { TopEntry } from "../../lib/api/types";
import { pair } from "./line";

const entry = (index: number, probability: number): TopEntry => ({
  index,
  label: String(index),
  value: 0,
  probability,
});

describe("an answer before and after", () => {
  it("pairs the same places and adds what has risen", () => {
    const before = Array.from({ length: 12 }, (_, i) => entry(i, 0.5 / (i + 1)));
    const after = [entry(11, 0.6), entry(0, 0.3), entry(50, 0.1)];
    const pairs = pair(before, after);
    expect(pairs).toHaveLength(12);
    expect(pairs[0]).toEqual({ before: before[0], after: after[1] });
    expect(pairs.at(-2)).toEqual({ before: before[11], after: after[0] });
    expect(pairs.at(-1)).toEqual({ before: null, after: after[2] });
    expect(pairs[5]!.after).toBeNull();
  });
});
