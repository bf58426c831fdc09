// Something long that the server is doing or has done: progress, cancelling, the result or the server's sentence.
import { client } from "../api/client";
import type { Progress, TraceInfo, TraceRequest } from "../api/types";
import { sentence } from "./resource.svelte";

export class Following<T> {
  /** The last result; it stays while the next one is made. */
  result = $state.raw<T | null>(null);
  progress = $state.raw<Progress | null>(null);
  error = $state<string | null>(null);
  isRunning = $state(false);
  /** Whether the reader has stopped the last one. */
  isCancelled = $state(false);
  #controller: AbortController | null = null;

  /** Do it; what is under way is cancelled. Returns null when it failed or was cancelled. */
  async follow(make: (onProgress: (progress: Progress) => void, signal: AbortSignal) => Promise<T>): Promise<T | null> {
    this.#abort();
    const controller = new AbortController();
    this.#controller = controller;
    this.isRunning = true;
    this.error = null;
    this.isCancelled = false;
    try {
      const result = await make((progress) => {
        if (!controller.signal.aborted) this.progress = progress;
      }, controller.signal);
      if (controller.signal.aborted) return null;
      this.result = result;
      return result;
    } catch (error) {
      if (!controller.signal.aborted) this.error = sentence(error);
      return null;
    } finally {
      if (this.#controller === controller) this.#finish();
    }
  }

  cancel(): void {
    if (!this.#controller) return;
    this.#abort();
    this.isCancelled = true;
  }

  #abort(): void {
    this.#controller?.abort();
    if (this.#controller) this.#finish();
  }

  #finish(): void {
    this.#controller = null;
    this.isRunning = false;
    this.progress = null;
  }
}

/** One trace that is being made or has been made. */
export class Tracing extends Following<TraceInfo> {
  /** The last trace that succeeded. */
  get trace(): TraceInfo | null {
    return this.result;
  }

  set trace(trace: TraceInfo | null) {
    this.result = trace;
  }

  /** Make a trace; one that is under way is cancelled. Returns null when it failed or was cancelled. */
  async start(model: string, request: TraceRequest): Promise<TraceInfo | null> {
    return this.follow((onProgress, signal) => client.trace(model, request, onProgress, signal));
  }
}
