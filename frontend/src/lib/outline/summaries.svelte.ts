// Summaries of values, asked for in batches when they are first seen.
import { SvelteMap } from "svelte/reactivity";
import { client } from "../api/client";
import type { Summary } from "../api/types";

const BATCH = 32;
const MOST_TRACES = 4;

class SummaryStore {
  readonly #known = new SvelteMap<string, Summary>();
  readonly #asked = new Set<string>();
  #traces: string[] = [];
  #queue: { trace: string; name: string }[] = [];

  /** The summary where it is here; else it is asked for, and this is read again when it has come. */
  get(trace: string, name: string): Summary | undefined {
    const key = `${trace} ${name}`;
    const known = this.#known.get(key);
    if (!known && !this.#asked.has(key)) {
      this.#asked.add(key);
      this.#queue.push({ trace, name });
      if (this.#queue.length === 1) queueMicrotask(() => void this.#flush());
    }
    return known;
  }

  async #flush(): Promise<void> {
    const queue = this.#queue;
    this.#queue = [];
    for (const trace of new Set(queue.map((one) => one.trace))) {
      this.#forgetOld(trace);
      const names = queue.filter((one) => one.trace === trace).map((one) => one.name);
      for (let i = 0; i < names.length; i += BATCH) await this.#ask(trace, names.slice(i, i + BATCH));
    }
  }

  async #ask(trace: string, names: string[]): Promise<void> {
    try {
      for (const summary of await client.summaries(trace, names)) this.#known.set(`${trace} ${summary.name}`, summary);
    } catch {
      // A histogram is an ornament: where the trace has gone, what the reader opens says so.
    }
  }

  #forgetOld(trace: string): void {
    if (this.#traces.includes(trace)) return;
    this.#traces.push(trace);
    if (this.#traces.length <= MOST_TRACES) return;
    const old = `${this.#traces.shift()!} `;
    for (const key of this.#known.keys()) if (key.startsWith(old)) this.#known.delete(key);
    for (const key of this.#asked) if (key.startsWith(old)) this.#asked.delete(key);
  }
}

export const summaries = new SummaryStore();
