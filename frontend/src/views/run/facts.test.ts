import { describe, expect, it } from "vitest";
import { durationText, factName, factText, sizeText } from "./facts";

describe("facts of a run", () => {
  it("have units by the ending of their names", () => {
    expect(factText("memory_bytes", 25_276_063_744)).toBe("25.28 GB");
    expect(factText("train_s", 115.418)).toBe("1 min 55 s");
    expect(factText("held_out_share", 0.1)).toBe("10 %");
    expect(factText("steps", 1234)).toBe("1,234");
    expect(factText("learning_rate", 0.004)).toBe("0.004");
  });

  it("may be lists, ranges, groups, or nothing", () => {
    expect(factText("train_s", [60, 90])).toBe("1 min 00 s – 1 min 30 s");
    expect(factText("accelerators", [])).toBe(factText("budget", null));
    expect(factText("origin", { kind: "wheel", file_bytes: 2000 })).toBe("Kind: wheel, File size: 2 kB");
  });

  it("have their names in words", () => {
    expect(factName("some_new_thing")).toBe("Some new thing");
  });

  it("write sizes and durations shortly", () => {
    expect(sizeText(999)).toBe("999 B");
    expect(durationText(3720)).toBe("1 h 02 min");
    expect(durationText(17.647)).toBe("17.6 s");
  });
});
