// Drawing the next token: the settings, and the trace of the draw that the server makes with them.
import { client } from "../../../lib/api/client";
import type { DrawRequest, TraceInfo } from "../../../lib/api/types";
import { Tracing } from "../../../lib/state/tracing.svelte";
import { Pause } from "../../input/giving";

export type DrawSettings = Pick<DrawRequest, "temperature" | "top_k" | "top_p" | "seed">;

export const LIMITS = {
  temperature: { min: 0, max: 2, step: 0.05 },
  top_k: { min: 0, max: 100, step: 1 },
  top_p: { min: 0.05, max: 1, step: 0.05 },
  seed: { min: 0, max: 9999, step: 1 },
} as const satisfies Record<keyof DrawSettings, { min: number; max: number; step: number }>;

class SettingsStore {
  /** Those with which `openbook try` writes. */
  current = $state.raw<DrawSettings>({ temperature: 0.7, top_k: 0, top_p: 0.9, seed: 0 });

  change(part: Partial<DrawSettings>): void {
    this.current = { ...this.current, ...part };
  }
}

/** The reader's settings, for the page and for the film that is saved. */
export const drawSettings = new SettingsStore();

export class Drawing {
  readonly tracing = new Tracing();
  readonly #pause = new Pause();
  #asked = "";

  /** The draw from just this trace with these settings, once it is there; else the one before. */
  get trace(): TraceInfo | null {
    return this.tracing.trace;
  }

  /** Draw after the last token of a trace, a little after the last change. */
  follow(trace: TraceInfo): void {
    const request: DrawRequest = { trace: trace.id, ...drawSettings.current };
    const asked = JSON.stringify(request);
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#pause.then(() => {
      void this.tracing.follow((onProgress, signal) => client.draw(trace.model, request, onProgress, signal));
    });
  }

  stop(): void {
    this.#pause.stop();
    this.tracing.cancel();
    this.#asked = "";
  }
}
