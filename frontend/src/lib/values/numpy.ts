// Numbers as a piece of NumPy source.
import { exact } from "../numbers/numbers";
import { TILE } from "./slicing";
import type { PlaneSource } from "../planes/plane";

export interface Region {
  rows: [number, number];
  cols: [number, number];
}

/** More numbers than this are no text to paste anywhere: the file is for them. */
export const MOST_COPIED = 10_000;

/** The region cut so that it has at most MOST_COPIED numbers: fewer rows first. */
export function cutRegion({ rows, cols }: Region): Region {
  const numCols = Math.min(cols[1] - cols[0], MOST_COPIED);
  const numRows = Math.min(rows[1] - rows[0], Math.max(1, Math.floor(MOST_COPIED / numCols)));
  return { rows: [rows[0], rows[0] + numRows], cols: [cols[0], cols[0] + numCols] };
}

/** The numbers of a region, row by row. */
export async function readRegion(source: PlaneSource, { rows, cols }: Region): Promise<number[][]> {
  const result: number[][] = [];
  for (let row = rows[0]; row < rows[1]; row++) {
    const line: number[] = [];
    for (let col = cols[0]; col < cols[1]; col++) {
      const tile = await source.load(0, Math.floor(row / TILE), Math.floor(col / TILE));
      line.push(tile.mean[(row % TILE) * tile.width + (col % TILE)]!);
    }
    result.push(line);
  }
  return result;
}

/** How NumPy writes the slice: weights[0, 1, 0:4, 0:4]. */
export function sliceText(
  name: string,
  index: readonly number[],
  axes: { rows: number; cols: number },
  region: Region,
): string {
  const parts = index.map((position, axis) => {
    if (axis === axes.cols || index.length === 1) return `${region.cols[0]}:${region.cols[1]}`;
    if (axis === axes.rows) return `${region.rows[0]}:${region.rows[1]}`;
    return String(position);
  });
  return `${name}[${parts.join(", ")}]`;
}

export function numpySource(comment: string, lines: readonly (readonly number[])[], dtype: string): string {
  const isVector = lines.length === 1;
  const texts = lines.map((line) => `[${line.map(numberSource).join(", ")}]`);
  const body = isVector ? texts[0]! : `[\n    ${texts.join(",\n    ")},\n]`;
  return `# ${comment}\nnp.array(${body}, dtype=np.${dtypeSource(dtype)})\n`;
}

function numberSource(number: number): string {
  if (Number.isNaN(number)) return "np.nan";
  if (!Number.isFinite(number)) return number > 0 ? "np.inf" : "-np.inf";
  return exact(number);
}

/** NumPy has no bfloat16 of its own, and its bool has an underscore to spare. */
function dtypeSource(dtype: string): string {
  if (dtype === "bool") return "bool_";
  return /^(float16|float32|float64|u?int(8|16|32|64))$/.test(dtype) ? dtype : "float32";
}
