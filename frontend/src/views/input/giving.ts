// How an input that the reader gives becomes the one that is traced.
import type { ModelInput } from "../../lib/api/types";
import { place } from "../../lib/state/place.svelte";

/** A pause in typing or drawing after which the input is traced. */
export const PAUSE_MS = 150;

/**
 * Trace another input. What was said of single elements of the input before holds no longer: edits of it and the target of a
 * step go; edits of weights stay.
 */
export function give(input: ModelInput): void {
  const edits = place.current.edits.filter(({ name }) => !name.startsWith("input"));
  place.move({ input, edits, target: null });
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
