import { describe, expect, it } from "vitest";
import { range, scrolledTo, visibleSpan } from "./window";

describe("a window on a large grid", () => {
  it("holds what is seen and a few more", () => {
    expect(visibleSpan(100, 50, 10, 1000, 2)).toEqual({ from: 8, to: 17 });
    expect(visibleSpan(0, 0, 10, 3)).toEqual({ from: 0, to: 3 });
    expect(range({ from: 2, to: 5 })).toEqual([2, 3, 4]);
  });

  it("scrolls only as far as needed", () => {
    expect(scrolledTo(3, 0, 100, 10)).toBe(0);
    expect(scrolledTo(12, 0, 100, 10)).toBe(30);
    expect(scrolledTo(1, 50, 100, 10)).toBe(10);
  });
});
