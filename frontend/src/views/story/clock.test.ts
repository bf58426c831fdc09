import { describe, expect, it } from "vitest";
import { beatAt, countWords, durationOf, later, timeOf } from "./clock";

const short = { numBeats: 1, numWords: 4 };
const long = { numBeats: 10, numWords: 20 };

describe("the time of the film", () => {
  it("leaves time to read, within bounds", () => {
    expect(durationOf(short)).toBe(5);
    expect(durationOf(long)).toBeCloseTo(10);
    expect(durationOf({ numBeats: 100, numWords: 3 })).toBe(16);
  });

  it("goes through every beat once and rests on the last", () => {
    const beats = Array.from({ length: 100 }, (_, i) => beatAt(i / 10, long));
    expect([...new Set(beats)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(beats).toEqual([...beats].sort((a, b) => a - b));
    expect(beatAt(timeOf(7, long), long)).toBe(7);
  });

  it("goes on to the next stage, and ends", () => {
    expect(later({ stage: 0, time_s: 4 }, 2, [short, long])).toEqual({ stage: 1, time_s: 1 });
    expect(later({ stage: 1, time_s: 9.5 }, 1, [short, long])).toBeNull();
    expect(later({ stage: 0, time_s: 1 }, 0.5, [short])).toEqual({ stage: 0, time_s: 1.5 });
  });

  it("counts words", () => expect(countWords(" one  two ")).toBe(2));
});
