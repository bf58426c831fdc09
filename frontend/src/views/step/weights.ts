// What a training step did to a weight: the names of the values that tell it.
import type { TraceInfo } from "../../lib/api/types";

const PREFIXES = ["gradients/", "updates/"];

/** Weights that the step changed, in the order of the model. */
export function trainedWeights(trace: TraceInfo): string[] {
  return Object.keys(trace.values).filter(
    (name) =>
      trace.values[name]!.role === "weight" && `updates/${name}` in trace.values && !name.startsWith("optimizer/"),
  );
}

/** The weight that a value of the step belongs to: "updates/a/kernel/step" → "a/kernel"; null where it is none. */
export function weightOf(name: string | null, weights: readonly string[]): string | null {
  if (name === null) return null;
  const prefix = PREFIXES.find((one) => name.startsWith(one));
  const bare = prefix ? name.slice(prefix.length) : name;
  return weights.find((weight) => bare === weight || (prefix && bare.startsWith(`${weight}/`))) ?? null;
}

export interface WeightPicture {
  /** What the picture shows: a key of the messages, "step.part.…". */
  part: "before" | "gradient" | "change" | "after";
  name: string;
}

/** The values that show the update of a weight, as far as the trace has them. */
export function picturesOf(weight: string, trace: TraceInfo): WeightPicture[] {
  const all: WeightPicture[] = [
    { part: "before", name: weight },
    { part: "gradient", name: `gradients/${weight}` },
    { part: "change", name: `updates/${weight}/step` },
    { part: "after", name: `updates/${weight}` },
  ];
  const { shape } = trace.values[weight]!;
  return all.filter(({ name }) => String(trace.values[name]?.shape) === String(shape));
}

export interface Slot {
  /** The slot in words: "momentum". */
  slot: string;
  before: string;
  after: string;
}

/** What the optimizer remembers of a weight, before and after the step. */
export function slotsOf(weight: string, trace: TraceInfo): Slot[] {
  const start = `optimizer/${weight.replaceAll("/", "_")}_`;
  return Object.keys(trace.values)
    .filter((name) => name.startsWith(start) && `updates/${name}` in trace.values)
    .map((name) => ({ slot: name.slice(start.length).replaceAll("_", " "), before: name, after: `updates/${name}` }));
}
