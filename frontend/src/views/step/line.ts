// One line of the result before and after something was changed, with what its places stand for.
import { client } from "../../lib/api/client";
import type { TopEntry, TraceInfo } from "../../lib/api/types";

export interface Change {
  before: TopEntry | null;
  after: TopEntry | null;
}

const NUM_SHOWN = 10;
/** The server tells no more of a line. */
const MOST = 1000;

/** Where the model's answer stands: the last place of every axis but the last one, which is the line itself. */
export function answerPlace(trace: TraceInfo, name: string): { at: number[]; axis: number } {
  const { shape } = trace.values[name]!;
  return { at: shape.map((size, axis) => (axis === 0 ? 0 : size - 1)), axis: Math.max(0, shape.length - 1) };
}

/** The largest of the answer before, and what became of them; what has risen among the largest stands there too. */
export async function changesOf(
  before: TraceInfo,
  after: TraceInfo,
  name: string,
  signal: AbortSignal,
): Promise<Change[]> {
  const { at, axis } = answerPlace(before, name);
  const [first, second] = await Promise.all([
    client.top(before.id, name, at, axis, MOST, signal),
    client.top(after.id, name, at, axis, MOST, signal),
  ]);
  return pair(first, second);
}

/** Pairs entries of the same place: the largest before, then the largest after that were not among them. */
export function pair(before: readonly TopEntry[], after: readonly TopEntry[]): Change[] {
  const later = new Map(after.map((entry) => [entry.index, entry]));
  const earlier = new Map(before.map((entry) => [entry.index, entry]));
  const shown = before.slice(0, NUM_SHOWN).map((entry) => entry.index);
  for (const { index } of after.slice(0, 3)) if (!shown.includes(index)) shown.push(index);
  return shown.map((index) => ({ before: earlier.get(index) ?? null, after: later.get(index) ?? null }));
}
