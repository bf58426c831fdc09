// What a run measured while it trained, as lines to draw: one plot for each quantity.

export type Row = Record<string, unknown>;
export type Axis = "step" | "train_s";

export interface Line {
  /** Where the numbers stand in a row: "loss", "held_out.loss". */
  key: string;
  isHeldOut: boolean;
  points: { x: number; y: number }[];
}

export interface Plot {
  /** The quantity: "loss", "learning_rate", "bits_per_byte". */
  quantity: string;
  lines: Line[];
}

/** Counts and places, which are no curves. */
const NO_CURVES = /^(step|epoch|train_s|total_s|num_.*)$/;
const ORDER = ["loss", "learning_rate"];

/** All curves of the rows: the loss first, then held-out scores, the learning rate, the speed. */
export function plotsOf(rows: readonly Row[], axis: Axis): Plot[] {
  const lines = new Map<string, Line>();
  for (const row of rows) {
    const x = row[axis];
    if (typeof x !== "number") continue;
    for (const [key, value] of measured(row)) {
      let line = lines.get(key);
      if (!line) lines.set(key, (line = { key, isHeldOut: key.startsWith("held_out."), points: [] }));
      line.points.push({ x, y: value });
    }
  }
  const plots = new Map<string, Plot>();
  for (const line of lines.values()) {
    const quantity = line.key.split(".").at(-1)!;
    if (!plots.has(quantity)) plots.set(quantity, { quantity, lines: [] });
    plots.get(quantity)!.lines.push(line);
  }
  return [...plots.values()].sort((a, b) => rank(a) - rank(b));
}

function rank({ quantity, lines }: Plot): number {
  if (quantity === "loss") return 0;
  if (lines.some(({ isHeldOut }) => isHeldOut)) return 1;
  if (ORDER.includes(quantity)) return 2;
  return quantity.endsWith("_per_s") ? 4 : 3;
}

function* measured(row: Row): Generator<[string, number]> {
  for (const [name, value] of Object.entries(row)) {
    if (NO_CURVES.test(name)) continue;
    if (typeof value === "number") yield [name, value];
    else if (value !== null && typeof value === "object") {
      for (const [inner, one] of Object.entries(value)) {
        if (typeof one === "number" && !NO_CURVES.test(inner)) yield [`${name}.${inner}`, one];
      }
    }
  }
}

/** The lines of a plot over one common axis, as uPlot wants them: xs, then ys with null where a line has no point. */
export function aligned({ lines }: Plot): [number[], ...(number | null)[][]] {
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const ys = lines.map(({ points }) => {
    const at = new Map(points.map(({ x, y }) => [x, y]));
    return xs.map((x) => at.get(x) ?? null);
  });
  return [xs, ...ys];
}
