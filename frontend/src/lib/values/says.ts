// What a trace's answer is made of.
import type { TraceInfo } from "../api/types";

/** Whether the model says which token comes next, and not to which class a text belongs. */
export function saysTokens(trace: TraceInfo): boolean {
  const output = trace.values[trace.outputs[0] ?? ""];
  return trace.input.kind === "text" && output?.labels.at(-1) === "vocabulary";
}
