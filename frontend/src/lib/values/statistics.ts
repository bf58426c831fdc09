// Range, mean, histogram and the largest of whole arrays, as the server tells them. Used where a page has no server.
import type { Plane, Summary, TopEntry } from "../api/types";
import { TILE } from "./slicing";

const NUM_BINS = 16;

interface Range {
  min: number | null;
  max: number | null;
  mean: number | null;
  std: number | null;
  num_nonfinite: number;
}

function rangeOf(numbers: Float32Array): Range {
  let [min, max, sum, count] = [Infinity, -Infinity, 0, 0];
  for (const number of numbers) {
    if (!Number.isFinite(number)) continue;
    if (number < min) min = number;
    if (number > max) max = number;
    sum += number;
    count++;
  }
  const num_nonfinite = numbers.length - count;
  if (!count) return { min: null, max: null, mean: null, std: null, num_nonfinite };
  const mean = sum / count;
  let squares = 0;
  for (const number of numbers) if (Number.isFinite(number)) squares += (number - mean) ** 2;
  return { min, max, mean, std: Math.sqrt(squares / count), num_nonfinite };
}

export function summarise(name: string, numbers: Float32Array): Summary {
  const range = rangeOf(numbers);
  const histogram = new Array<number>(NUM_BINS).fill(0);
  if (range.min !== null && range.max !== null) {
    const width = (range.max - range.min) / NUM_BINS || 1;
    for (const number of numbers) {
      if (!Number.isFinite(number)) continue;
      const bin = Math.min(NUM_BINS - 1, Math.floor((number - range.min) / width));
      histogram[bin] = histogram[bin]! + 1;
    }
  }
  return { name, ...range, histogram };
}

/** Levels are made until a plane fits into one tile. */
export function describePlane(numbers: Float32Array, num_rows: number, num_cols: number): Plane {
  let num_levels = 1;
  for (let edge = Math.max(num_rows, num_cols); edge > TILE; edge = Math.ceil(edge / 2)) num_levels++;
  return { num_rows, num_cols, ...rangeOf(numbers), num_levels };
}

/** The k largest of a line; of logits, their softmax as well. */
export function topOf(
  line: Float32Array,
  k: number,
  isLogits: boolean,
  labelOf: (index: number) => string,
): TopEntry[] {
  const order = Array.from(line.keys()).sort((a, b) => line[b]! - line[a]!);
  const largest = line[order[0] ?? 0] ?? 0;
  const total = isLogits ? line.reduce((sum, logit) => sum + Math.exp(logit - largest), 0) : 1;
  return order.slice(0, k).map((index) => ({
    index,
    label: labelOf(index),
    value: line[index]!,
    probability: isLogits ? Math.exp(line[index]! - largest) / total : null,
  }));
}
