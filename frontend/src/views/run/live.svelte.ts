// A run as it is now: asked once, and told further while it trains.
import { client } from "../../lib/api/client";
import type { RunInfo } from "../../lib/api/types";
import { sentence } from "../../lib/state/resource.svelte";

export class LiveRun {
  info = $state.raw<RunInfo | null>(null);
  error = $state<string | null>(null);

  /** Follow the run until `signal` is aborted or the training has ended. */
  async follow(model: string, signal: AbortSignal): Promise<void> {
    try {
      this.info = await client.run(model, signal);
      if (this.info.status !== "training") return;
      for await (const { event, data } of client.runEvents(model, signal)) this.#take(event, data);
    } catch (error) {
      if (!signal.aborted) this.error = sentence(error);
    }
  }

  #take(event: string, data: string): void {
    if (event === "run") this.info = JSON.parse(data) as RunInfo;
    else if (event === "metrics" && this.info) {
      const rows = JSON.parse(data) as RunInfo["metrics"];
      this.info = { ...this.info, metrics: [...this.info.metrics, ...rows] };
    }
  }
}
