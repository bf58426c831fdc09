// The numbers of an input as they were traced, as nested lists without the batch axis: what an example holds.
import { client } from "../../lib/api/client";
import type { ArraySpec, TraceInfo } from "../../lib/api/types";

/** Wider inputs have no grid: one request a column would be too many. */
export const MOST_COLUMNS = 64;

/** The name of the value that holds an input. */
export function valueNameOf(trace: TraceInfo, spec: ArraySpec): string | null {
  const inputs = Object.entries(trace.values).filter(([, { role }]) => role === "input");
  const named = inputs.find(([name]) => name === `input/${spec.name}` || name === spec.name);
  return named?.[0] ?? (inputs.length === 1 ? inputs[0]![0] : null);
}

/** Numbers of one or two axes behind the batch axis; null for others. */
export async function readArray(
  trace: TraceInfo,
  name: string,
  signal: AbortSignal,
): Promise<number[] | number[][] | null> {
  const { shape } = trace.values[name]!;
  if (shape.length === 2) return Array.from(await client.series(trace.id, name, [0, 0], 1, signal));
  if (shape.length !== 3 || shape[2]! > MOST_COLUMNS) return null;
  const columns = await Promise.all(
    Array.from({ length: shape[2]! }, (_, col) => client.series(trace.id, name, [0, 0, col], 1, signal)),
  );
  return Array.from({ length: shape[1]! }, (_, row) => columns.map((numbers) => numbers[row]!));
}
