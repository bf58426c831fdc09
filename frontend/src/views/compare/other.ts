// What a trace is compared with: the same but for one thing.
import type { ModelInfo, ModelInput, TraceRequest } from "../../lib/api/types";
import type { Other, Place } from "../../lib/state/address";
import { traceRequest } from "../../lib/state/session.svelte";

export type Difference = "input" | "checkpoint" | "model";

/** What differs, as the address tells it. */
export function differenceOf(other: Other | null): Difference {
  if (other?.model !== undefined) return "model";
  return other?.checkpoint !== undefined ? "checkpoint" : "input";
}

/** What can differ for a model. */
export function possibleDifferences(model: ModelInfo, models: readonly ModelInfo[]): Difference[] {
  const result: Difference[] = ["input"];
  if (model.checkpoints.length > 0) result.push("checkpoint");
  if (models.some((one) => canCompare(model, one))) result.push("model");
  return result;
}

/** Whether another model takes the same input. */
export function canCompare(model: ModelInfo, other: ModelInfo): boolean {
  return other.id !== model.id && other.input.kind === model.input.kind;
}

/** The request for the other side; null while the reader has not said what it is. */
export function otherRequest(
  model: ModelInfo,
  place: Place,
  input: ModelInput,
  other: Other | null,
): { model: string; request: TraceRequest } | null {
  if (!other) return null;
  const request = traceRequest(place, otherInput(input, other));
  if (other.model !== undefined) {
    // Checkpoints and edits belong to the first model.
    delete request.checkpoint;
    delete request.edits;
    return { model: other.model, request };
  }
  if (other.checkpoint !== undefined) {
    if (other.checkpoint) request.checkpoint = other.checkpoint;
    else delete request.checkpoint;
    return { model: model.id, request };
  }
  return other.text === undefined && other.example === undefined ? null : { model: model.id, request };
}

function otherInput(input: ModelInput, other: Other): ModelInput {
  if (other.text !== undefined) return { kind: "text", text: other.text };
  if (other.example !== undefined) return { kind: "example", id: other.example };
  return input;
}
