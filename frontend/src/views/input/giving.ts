// How an input that the reader gives becomes the one that is traced.
import type { ModelInput } from "../../lib/api/types";
import { place } from "../../lib/state/place.svelte";

/** A pause in typing or drawing after which the input is traced. */
export const PAUSE_MS = 150;

/**
 * Trace another input. Edits of single elements of the input before hold no longer, those of weights stay. An example
 * has a target of its own; for anything else the one that was chosen stays.
 */
export function give(input: ModelInput): void {
  const edits = place.current.edits.filter(({ name }) => !name.startsWith("input"));
  place.move({ input, edits, target: input.kind === "example" ? null : place.current.target });
}

/** Calls a function a little after the last of many calls. */
export class Pause {
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly duration_ms = PAUSE_MS) {}

  then(act: () => void): void {
    this.stop();
    this.#timer = setTimeout(act, this.duration_ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
