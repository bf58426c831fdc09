// A table or a series as a grid of texts: pasted from a spreadsheet, written as CSV, read back as nested numbers.

export type Grid = readonly (readonly number[])[];

/** Where a cell stands that is not a number, counted from one. */
export interface NotANumber {
  row: number;
  col: number;
  text: string;
}

export type Parsed = { rows: number[][] } | { problem: NotANumber };

/**
 * Rows of numbers from text that a spreadsheet or a file gave: cells parted by tabs, semicolons, commas or blanks, the
 * first of these that stands in the text. Where tabs or semicolons part the cells, a comma is a decimal comma. A first
 * row without any number holds names and is left out.
 */
export function parseCells(text: string): Parsed {
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "");
  const separator = ["\t", ";", ","].find((one) => text.includes(one)) ?? /\s+/;
  const hasDecimalComma = separator === "\t" || separator === ";";
  const texts = lines.map((line) => (typeof separator === "string" ? line : line.trim()).split(separator));
  if (texts.length > 1 && texts[0]!.every((cell) => parseNumber(cell, hasDecimalComma) === null)) texts.shift();
  const rows: number[][] = [];
  for (const [row, cells] of texts.entries()) {
    const numbers: number[] = [];
    for (const [col, cell] of cells.entries()) {
      const number = parseNumber(cell, hasDecimalComma);
      if (number === null) return { problem: { row: row + 1, col: col + 1, text: cell.trim() } };
      numbers.push(number);
    }
    rows.push(numbers);
  }
  return { rows };
}

/** A number as a person writes it; null where it is none. */
export function parseNumber(text: string, hasDecimalComma = false): number | null {
  const trimmed = text.trim().replace(/^"(.*)"$/, "$1");
  if (trimmed === "") return null;
  const number = Number((hasDecimalComma ? trimmed.replace(",", ".") : trimmed).replace(/^[−–]/, "-"));
  return Number.isFinite(number) ? number : null;
}

/** The grid with a block of cells put at a place; what hangs over is left out, unless rows may be added. */
export function putCells(grid: Grid, row: number, col: number, block: Grid, mayGrow: boolean): number[][] {
  const width = grid[0]?.length ?? 0;
  const changed = grid.map((cells) => [...cells]);
  for (const [r, cells] of block.entries()) {
    if (row + r >= changed.length) {
      if (!mayGrow) break;
      changed.push([...(changed.at(-1) ?? new Array<number>(width).fill(0))]);
    }
    for (const [c, number] of cells.entries()) if (col + c < width) changed[row + r]![col + c] = number;
  }
  return changed;
}

export function writeCells(grid: Grid): string {
  return grid.map((cells) => cells.join(",")).join("\n");
}

/** An input of one axis is shown as a column, of two as it is; others have no grid. */
export function toGrid(array: unknown): number[][] | null {
  if (typeof array === "number") return [[array]];
  if (!Array.isArray(array) || array.length === 0) return null;
  if (array.every((one) => typeof one === "number")) return (array as number[]).map((one) => [one]);
  const isMatrix = array.every((row) => Array.isArray(row) && row.every((one) => typeof one === "number"));
  return isMatrix ? (array as number[][]) : null;
}

/** Back from the grid to nested lists of the given rank. */
export function fromGrid(grid: Grid, rank: number): unknown {
  if (rank === 0) return grid[0]?.[0] ?? 0;
  return rank === 1 ? grid.map(([number]) => number) : grid;
}
