// Where the cells of a plane lie on the screen, and which tiles are seen. All pure.
import { TILE } from "../values/slicing";
import type { Cell, GridSize } from "../grid/moves";

/** What is seen of a plane: the offset of the scroller and its size without the gutters, in CSS pixels. */
export interface Viewport {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface TilePlace {
  level: number;
  row: number;
  col: number;
  /** Elements covered: first row and column, and how many. */
  firstRow: number;
  firstCol: number;
  numRows: number;
  numCols: number;
}

export const LARGEST_CELL = 64;
/** From this size on the numbers stand in the cells. */
export const NUMBER_CELL = 40;
/** From this size on a negative cell carries a minus stroke. */
export const STROKE_CELL = 9;

/**
 * The level of the pyramid at which a cell is at least one pixel of the device.
 *
 * Args: `cell`: edge of an element in CSS pixels; `ratio`: device pixels to a CSS pixel.
 */
export function levelFor(cell: number, ratio: number, numLevels: number): number {
  const level = Math.ceil(Math.log2(1 / (cell * ratio)) - 1e-6);
  return Math.max(0, Math.min(numLevels - 1, level));
}

/** Of a long plane, this much of the shorter side is shown at least, rather than a thread of the whole. */
const LEAST_SIDE = 280;
const LEAST_CELL = 18;

/**
 * The cell with which a plane is shown first in a box: the largest one with which all of it is seen, but not larger than
 * `largest`, and not so small that a long plane becomes a thread. Whole pixels where there are some.
 */
export function fitCell({ numRows, numCols }: GridSize, width: number, height: number, largest: number): number {
  const side = Math.min(LEAST_SIDE, numRows < numCols ? height : width);
  const least = Math.min(LEAST_CELL, side / Math.min(numRows, numCols));
  const cell = Math.min(largest, Math.max(least, Math.min(width / numCols, height / numRows)));
  return cell >= 3 ? Math.floor(cell) : cell;
}

/** The next larger or smaller size of a cell. */
export function zoomed(cell: number, direction: 1 | -1): number {
  const next = cell * (direction > 0 ? 1.5 : 1 / 1.5);
  return Math.min(LARGEST_CELL, next >= 4 ? Math.round(next) : next);
}

/** Tiles that a viewport touches, at a level. */
export function visibleTiles(view: Viewport, cell: number, level: number, size: GridSize): TilePlace[] {
  const edge = TILE * 2 ** level;
  const span = edge * cell;
  const rows = range(view.top, view.height, span, Math.ceil(size.numRows / edge));
  const cols = range(view.left, view.width, span, Math.ceil(size.numCols / edge));
  return rows.flatMap((row) =>
    cols.map((col) => ({
      level,
      row,
      col,
      firstRow: row * edge,
      firstCol: col * edge,
      numRows: Math.min(edge, size.numRows - row * edge),
      numCols: Math.min(edge, size.numCols - col * edge),
    })),
  );
}

function range(start: number, length: number, span: number, count: number): number[] {
  const first = Math.max(0, Math.floor(start / span));
  const last = Math.min(count - 1, Math.ceil((start + length) / span) - 1);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}

/** The cell under a point of the plane; null outside. */
export function cellAt(x: number, y: number, cell: number, { numRows, numCols }: GridSize): Cell | null {
  const row = Math.floor(y / cell);
  const col = Math.floor(x / cell);
  return row >= 0 && col >= 0 && row < numRows && col < numCols ? { row, col } : null;
}

/** The offset that brings a cell into view: where that scrolls, the first cell that is seen is a whole one. */
export function scrollToCell(offset: number, length: number, position: number, cell: number): number {
  const to = scrollInto(offset, length, position * cell, cell);
  // Whole cells, but for rounding.
  return to === offset ? offset : Math.ceil(to / cell - 1e-6) * cell;
}

/** The offset that brings a stretch into view with the least scrolling. */
export function scrollInto(offset: number, length: number, start: number, size: number): number {
  if (start < offset) return start;
  if (start + size > offset + length) return Math.min(start, start + size - length);
  return offset;
}
