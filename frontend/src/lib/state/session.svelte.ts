// What the server shows and what is traced now: the models, the chosen model, and the trace of the reader's input.
import { client } from "../api/client";
import type { ModelInfo, ModelInput, State, TraceInfo, TraceRequest } from "../api/types";
import type { Place } from "./address";
import { place } from "./place.svelte";
import { sentence } from "./resource.svelte";
import { Tracing } from "./tracing.svelte";

class Session {
  state = $state.raw<State | null>(null);
  /** Why there is no state. */
  error = $state<string | null>(null);
  /** The trace of what stands in the address: input, edits, checkpoint, mode. */
  readonly main = new Tracing();
  #asked = "";
  #isChecking = false;

  /** The model in the address, else the first one. */
  get model(): ModelInfo | null {
    const models = this.state?.models ?? [];
    return models.find((model) => model.id === place.current.model) ?? models[0] ?? null;
  }

  get trace(): TraceInfo | null {
    return this.main.trace;
  }

  async open(): Promise<void> {
    try {
      this.error = null;
      this.state = await client.state();
    } catch (error) {
      this.error = sentence(error);
    }
  }

  /** Trace what the address tells, unless just that has been asked before. */
  async follow(model: ModelInfo, current: Place): Promise<void> {
    const input = current.input ?? (await defaultInput(model));
    if (!input) return;
    const request = traceRequest(current, input);
    const asked = JSON.stringify([model.id, request]);
    if (asked === this.#asked) return;
    this.#asked = asked;
    await this.main.start(model.id, request);
  }

  /** Trace once more what is there: after a failure, or when the server has let the trace go. */
  async again(): Promise<void> {
    this.#asked = "";
    if (this.model) await this.follow(this.model, place.current);
  }

  /** Stop; the same is not asked again before the reader says so or changes something. */
  cancel(): void {
    this.main.cancel();
  }

  /** Called when something of a trace could not be had: traces again where the server no longer has it. */
  async checkTrace(): Promise<void> {
    const trace = this.trace;
    if (!trace || this.main.isRunning || this.#isChecking) return;
    this.#isChecking = true;
    try {
      await client.traceInfo(trace.id);
    } catch {
      if (this.trace?.id === trace.id) await this.again();
    } finally {
      this.#isChecking = false;
    }
  }
}

/** The request that a place stands for. */
export function traceRequest(current: Place, input: ModelInput): TraceRequest {
  const request: TraceRequest = { input, mode: current.mode };
  if (current.target !== null) request.target = current.target;
  if (current.edits.length) request.edits = current.edits;
  if (current.checkpoint) request.checkpoint = current.checkpoint;
  return request;
}

/** What is traced before the reader has given anything: the model's own example. */
export async function defaultInput(model: ModelInfo): Promise<ModelInput | null> {
  const spec = model.input;
  if (client.isSaved) return client.firstSaved(model.id);
  if (spec.kind === "text") return { kind: "text", text: spec.example };
  if (spec.kind === "line" && spec.text) return { kind: "line", text: spec.text };
  if (model.has_examples) {
    const [first] = await client.examples(model.id).catch(() => []);
    if (first) return { kind: "example", id: first.id };
  }
  if (spec.kind === "arrays") {
    return { kind: "arrays", arrays: Object.fromEntries(spec.inputs.map((one) => [one.name, one.example])) };
  }
  return null;
}

export const session = new Session();
