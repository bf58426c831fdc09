// What a stage shows of a trace: its values with the chosen block and head, and where each of its beats falls.
import type { Stage, TraceInfo, ValueInfo } from "../../lib/api/types";
import { firstIndex } from "../values/labels";
import { planeAxes } from "../values/pictures";

/** More beats than that are gone through in larger steps. */
export const MOST_BEATS = 24;

export interface Choice {
  block: string | null;
  head: number;
}

/** The chosen block where the stage has it, else its first one. */
export function blockOf(stage: Stage, chosen: string | null): string | null {
  return stage.blocks.find((block) => block === chosen) ?? stage.blocks[0] ?? null;
}

/** Names of the stage's values that the trace has, in the stage's order. */
export function valuesOf(stage: Stage, trace: TraceInfo, block: string | null): string[] {
  return stage.values.map((name) => name.replaceAll("{block}", block ?? "")).filter((name) => name in trace.values);
}

/** Whether any value of the stage depends on the block. */
export function hasBlocks(stage: Stage): boolean {
  return stage.blocks.length > 1 && stage.values.some((name) => name.includes("{block}"));
}

export function headAxis(info: ValueInfo): number | null {
  const axis = info.axes.indexOf("head");
  if (axis >= 0) return axis;
  return info.kind === "attention" && info.shape.length === 4 ? 1 : null;
}

/** How many heads the stage's values have; 1 where they have none. */
export function numHeads(names: readonly string[], trace: TraceInfo): number {
  return Math.max(
    1,
    ...names.map((name) => {
      const info = trace.values[name]!;
      const axis = headAxis(info);
      return axis === null ? 1 : info.shape[axis]!;
    }),
  );
}

/** The axis that the film goes along: queries, tokens, time, channels; null for a single number. */
export function walkAxis(info: ValueInfo): number | null {
  const rank = info.shape.length;
  if (info.kind === "attention" && rank >= 2) return rank - 2;
  if (info.kind === "feature_maps" || info.kind === "kernels") return rank - 1;
  const tokens = info.labels.indexOf("tokens");
  if (tokens >= 0) return tokens;
  const time = info.axes.findIndex((axis) => axis === "time" || axis === "position");
  if (time >= 0 && info.shape[time]! > 1) return time;
  const first = info.shape.findIndex((size) => size > 1);
  return first < 0 ? null : first;
}

/** The axes of the plane in which the walk can be seen: tokens one below the other, of queries in one head as well. */
export function planeOfStage(info: ValueInfo): { rows: number; cols: number } {
  const axes = planeAxes(info, null, null);
  const walk = walkAxis(info);
  if (info.kind === "feature_maps" || info.kind === "kernels" || walk === null) return axes;
  if (walk === axes.rows) return axes;
  if (walk === axes.cols)
    return info.labels[walk] === "tokens" && info.shape.length > 1 ? { rows: walk, cols: axes.rows } : axes;
  return { rows: walk, cols: info.shape.length - 1 };
}

/** Whether the film goes along it: a table of weights is only looked up in. */
function moves(info: ValueInfo): boolean {
  return info.role !== "weight" && info.role !== "constant" && walkAxis(info) !== null;
}

/** A draw has three: what the model says, what is left after the cuts, the drawn token. */
const NUM_DRAW_BEATS = 3;

/** How many beats the stage has: as many as its last moving value has places to go to. */
export function numBeatsOf(stage: Stage, names: readonly string[], trace: TraceInfo): number {
  if (stage.picture === "sampling") return NUM_DRAW_BEATS;
  const infos = names.map((name) => trace.values[name]!).filter(moves);
  const leading = infos.findLast(({ labels }) => labels.includes("tokens")) ?? infos.at(-1);
  return leading ? Math.min(MOST_BEATS, leading.shape[walkAxis(leading)!]!) : 1;
}

/** Where a beat falls on an axis of the given size: on every place, or evenly over all of them. */
export function positionAt(beat: number, numBeats: number, size: number): number {
  if (numBeats <= 1) return 0;
  return Math.round((Math.min(beat, numBeats - 1) * (size - 1)) / (numBeats - 1));
}

/**
 * The element of a value to look at.
 *
 * Args:
 *   beat: null where the film stands at no beat: then what one looks at first.
 */
export function indexAt(
  trace: TraceInfo,
  info: ValueInfo,
  head: number,
  beat: number | null,
  numBeats: number,
): number[] {
  const index = firstIndex(trace, info);
  const heads = headAxis(info);
  if (heads !== null) index[heads] = Math.min(head, info.shape[heads]! - 1);
  const walk = walkAxis(info);
  if (beat === null || walk === null || !moves(info)) return index;
  index[walk] = positionAt(beat, numBeats, info.shape[walk]!);
  return index;
}

/** Longer rows have cells too small to be lit up one by one. */
const LONGEST_ROW = 48;

/** All elements of the row in which an element stands; none where the row is long or is no row. */
export function rowOf(
  info: ValueInfo,
  index: readonly number[],
  { rows, cols }: { rows: number; cols: number },
): number[][] {
  if (info.shape.length < 2 || rows === cols || walkAxis(info) !== rows || info.shape[cols]! > LONGEST_ROW) return [];
  return Array.from({ length: info.shape[cols]! }, (_, col) =>
    index.map((position, axis) => (axis === cols ? col : position)),
  );
}
