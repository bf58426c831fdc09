// Planes, tiles and lines cut from a whole value, as the server cuts them. Used where a page has no server.

/** Edge of a tile, in cells. */
export const TILE = 256;

/** A value with all its numbers in C order. */
export interface WholeValue {
  shape: readonly number[];
  numbers: Float32Array;
}

/** How far apart neighbours along each axis lie in memory. */
export function strides(shape: readonly number[]): number[] {
  const result = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    result[axis] = step;
    step *= shape[axis]!;
  }
  return result;
}

export interface WholePlane {
  numbers: Float32Array;
  numRows: number;
  numCols: number;
}

/** The plane over axes `rows` and `cols` (the last two when left out), the others held at `at`. */
export function planeOf(value: WholeValue, at: readonly number[], rows?: number, cols?: number): WholePlane {
  const rank = value.shape.length;
  if (rank < 2) return { numbers: value.numbers, numRows: 1, numCols: value.numbers.length };
  const rowAxis = rows ?? rank - 2;
  const colAxis = cols ?? rank - 1;
  const step = strides(value.shape);
  const start = step.reduce(
    (sum, size, axis) => sum + (axis === rowAxis || axis === colAxis ? 0 : size * at[axis]!),
    0,
  );
  const numRows = value.shape[rowAxis]!;
  const numCols = value.shape[colAxis]!;
  const numbers = new Float32Array(numRows * numCols);
  for (let row = 0, to = 0; row < numRows; row++) {
    for (let col = 0; col < numCols; col++, to++) {
      numbers[to] = value.numbers[start + row * step[rowAxis]! + col * step[colAxis]!]!;
    }
  }
  return { numbers, numRows, numCols };
}

/** The line of a value along one axis. */
export function seriesOf(value: WholeValue, at: readonly number[], axis: number): Float32Array {
  const step = strides(value.shape);
  const start = step.reduce((sum, size, one) => sum + (one === axis ? 0 : size * (at[one] ?? 0)), 0);
  return Float32Array.from({ length: value.shape[axis] ?? 1 }, (_, i) => value.numbers[start + i * (step[axis] ?? 0)]!);
}

/** The body of one tile: the numbers at level 0; minimum, mean and maximum of 2^level × 2^level elements above. */
export function tileOf(
  plane: Float32Array,
  numRows: number,
  numCols: number,
  level: number,
  row: number,
  col: number,
): Float32Array {
  const edge = 2 ** level;
  const top = row * TILE;
  const left = col * TILE;
  const height = Math.min(TILE, Math.ceil(numRows / edge) - top);
  const width = Math.min(TILE, Math.ceil(numCols / edge) - left);
  const size = height * width;
  const body = new Float32Array(level === 0 ? size : 3 * size);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to++) {
      if (level === 0) {
        body[to] = plane[(top + y) * numCols + left + x]!;
        continue;
      }
      let [least, largest, sum, count] = [Infinity, -Infinity, 0, 0];
      for (let r = (top + y) * edge; r < Math.min(numRows, (top + y + 1) * edge); r++) {
        for (let c = (left + x) * edge; c < Math.min(numCols, (left + x + 1) * edge); c++) {
          const number = plane[r * numCols + c]!;
          if (!Number.isFinite(number)) continue;
          least = Math.min(least, number);
          largest = Math.max(largest, number);
          sum += number;
          count++;
        }
      }
      body[to] = count ? least : NaN;
      body[size + to] = count ? sum / count : NaN;
      body[2 * size + to] = count ? largest : NaN;
    }
  }
  return body;
}
