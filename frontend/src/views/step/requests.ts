// The traces that the chapters "training step" and "change a number" make beside the one of the address.
import type { ArraySpec, InputSpec, ModelInfo, TraceInfo, TraceRequest } from "../../lib/api/types";
import type { Place } from "../../lib/state/address";
import { defaultInput, traceRequest } from "../../lib/state/session.svelte";

/** The request of the present address, with parts of it replaced; null where there is no input yet. */
export async function requestHere(
  model: ModelInfo,
  current: Place,
  changes: Partial<TraceRequest>,
): Promise<TraceRequest | null> {
  const input = current.input ?? (await defaultInput(model));
  return input && { ...traceRequest(current, input), ...changes };
}

/** Whether a step needs a target from the reader: an example has its own. */
export function needsTarget(current: Place): boolean {
  return current.target === null && current.input?.kind !== "example";
}

/**
 * A target to begin with: what the model itself holds likeliest, so that the step makes it surer; for numbers, zeros
 * that stand in the field for the reader to replace.
 */
export function firstTarget(spec: InputSpec, trace: TraceInfo): unknown {
  const likeliest = trace.answer[0];
  if (!likeliest) return null;
  if (spec.kind === "text" && spec.target === "next_token")
    return trace.answer.find(({ label }) => label.trim() && !label.startsWith("<"))?.label ?? null;
  if ((spec.kind === "image" || spec.kind === "text") && spec.classes)
    return spec.classes[likeliest.index] ?? likeliest.index;
  if ("targets" in spec && spec.targets?.length) return targetOf(spec.targets, null);
  return null;
}

/** The chosen targets, with the example's own or zeros where nothing is chosen: a list, or lists by name where there are several. */
export function targetOf(targets: readonly ArraySpec[], chosen: unknown): unknown {
  if (targets.length === 1) return chosen ?? numbersOf(targets[0]!);
  const given = (chosen ?? {}) as Record<string, unknown>;
  return Object.fromEntries(targets.map((one) => [one.name, given[one.name] ?? numbersOf(one)]));
}

function numbersOf({ example, shape }: ArraySpec): unknown {
  return example ?? shape.reduceRight<unknown>((inner, size) => Array.from({ length: size ?? 1 }, () => inner), 0);
}
