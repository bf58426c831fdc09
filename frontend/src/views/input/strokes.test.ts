import { describe, expect, it } from "vitest";
import { begin, EMPTY, KEY_STEP, lift, moveTo, press, undo, type Drawing } from "./strokes";

const keys = (...names: string[]) => names.reduce<Drawing>((drawing, key) => press(drawing, { key }) ?? drawing, EMPTY);

describe("drawing by strokes", () => {
  it("draws from where the pen touches the paper to where it is lifted", () => {
    const drawn = lift(moveTo(begin(EMPTY, { x: 0.1, y: 0.2 }), { x: 0.3, y: 0.2 }));
    expect(drawn.strokes).toEqual([
      [
        { x: 0.1, y: 0.2 },
        { x: 0.3, y: 0.2 },
      ],
    ]);
    expect(moveTo(drawn, { x: 0.9, y: 0.9 }).strokes).toBe(drawn.strokes);
  });

  it("moves by arrow keys and draws after space", () => {
    const moved = keys("ArrowLeft", "ArrowUp");
    expect(moved.strokes).toEqual([]);
    const drawn = keys(" ", "ArrowRight", "ArrowRight", " ", "ArrowDown");
    expect(drawn.strokes).toHaveLength(1);
    expect(drawn.strokes[0]!.map(({ x }) => x)).toEqual([0.5, 0.5 + KEY_STEP, 0.5 + KEY_STEP + KEY_STEP]);
    expect(drawn.isDown).toBe(false);
  });

  it("stays on the pad", () => {
    const { pen } = keys(...Array<string>(40).fill("ArrowUp"));
    expect(pen.y).toBe(0);
  });

  it("takes back the last stroke only, and clears", () => {
    const two = keys(" ", "ArrowRight", " ", " ", "ArrowDown", " ");
    expect(undo(two).strokes).toHaveLength(1);
    expect(press(two, { key: "Delete" })!.strokes).toEqual([]);
    expect(press(two, { key: "a" })).toBeNull();
  });
});
