import { describe, expect, it } from "vitest";
import { fromGrid, parseCells, parseNumber, putCells, toGrid, writeCells } from "./cells";

describe("cells from a spreadsheet", () => {
  it("reads tabs with decimal commas", () => {
    expect(parseCells("1,5\t2\n-3\t4e2\n")).toEqual({
      rows: [
        [1.5, 2],
        [-3, 400],
      ],
    });
  });

  it("reads commas, semicolons and blanks", () => {
    expect(parseCells("1,2.5\r\n3,4")).toEqual({
      rows: [
        [1, 2.5],
        [3, 4],
      ],
    });
    expect(parseCells("1;2,5")).toEqual({ rows: [[1, 2.5]] });
    expect(parseCells(" 1  2 ")).toEqual({ rows: [[1, 2]] });
  });

  it("leaves out a row of names", () => {
    expect(parseCells("rooms,age\n3,40")).toEqual({ rows: [[3, 40]] });
  });

  it("says which cell is no number", () => {
    expect(parseCells("1,2\n3,many")).toEqual({ problem: { row: 2, col: 2, text: "many" } });
  });

  it("reads a minus of typography, and no empty cell", () => {
    expect(parseNumber("−2.5")).toBe(-2.5);
    expect(parseNumber("  ")).toBeNull();
  });
});

describe("a grid", () => {
  it("takes a pasted block and cuts what hangs over", () => {
    expect(
      putCells(
        [
          [1, 2],
          [3, 4],
        ],
        1,
        1,
        [
          [9, 9],
          [9, 9],
        ],
        false,
      ),
    ).toEqual([
      [1, 2],
      [3, 9],
    ]);
  });

  it("grows by the last row where any length will do", () => {
    expect(putCells([[1, 2]], 1, 0, [[7]], true)).toEqual([
      [1, 2],
      [7, 2],
    ]);
  });

  it("is a column for a row of a table, and goes back to the same lists", () => {
    expect(toGrid([1, 2])).toEqual([[1], [2]]);
    expect(fromGrid([[1], [2]], 1)).toEqual([1, 2]);
    expect(fromGrid(toGrid([[1, 2]])!, 2)).toEqual([[1, 2]]);
    expect(toGrid([[[1]]])).toBeNull();
    expect(
      writeCells([
        [1, 2],
        [3, 4],
      ]),
    ).toBe("1,2\n3,4");
  });
});
