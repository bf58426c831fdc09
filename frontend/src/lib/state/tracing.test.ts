import { afterEach, expect, test, vi } from "vitest";
import recorded from "../../test/recorded/forecast.json";
import { client } from "../api/client";
import type { Progress, TraceInfo, TraceRequest } from "../api/types";
import { Tracing } from "./tracing.svelte";

const request: TraceRequest = { input: { kind: "text", text: "" }, mode: "forward" };
const info = recorded.trace as unknown as TraceInfo;

afterEach(() => vi.restoreAllMocks());

/** A trace that is under way until it is told to end. */
function pending() {
  const calls: { end: (info: TraceInfo) => void; tell?: (progress: Progress) => void; signal: AbortSignal }[] = [];
  vi.spyOn(client, "trace").mockImplementation(
    (_model, _request, tell, signal) => new Promise((end) => calls.push({ end, tell, signal: signal! })),
  );
  return calls;
}

test("progress is seen while a trace is made, the result after it", async () => {
  const calls = pending();
  const tracing = new Tracing();
  const done = tracing.start("m", request);
  calls[0]!.tell!({ stage: "running", message: "Computing", elapsed_s: 1 });
  expect([tracing.isRunning, tracing.progress?.message]).toEqual([true, "Computing"]);
  calls[0]!.end(info);
  expect(await done).toBe(info);
  expect([tracing.isRunning, tracing.progress, tracing.trace]).toEqual([false, null, info]);
});

test("a new trace cancels the one before, whose end is then of no interest", async () => {
  const calls = pending();
  const tracing = new Tracing();
  const first = tracing.start("m", request);
  const second = tracing.start("m", request);
  expect(calls[0]!.signal.aborted).toBe(true);
  calls[0]!.end({ ...info, id: "late" });
  expect(await first).toBeNull();
  expect([tracing.isRunning, tracing.isCancelled, tracing.trace]).toEqual([true, false, null]);
  calls[1]!.end(info);
  expect((await second)?.id).toBe(info.id);
});

test("cancelling keeps the last trace and says so", async () => {
  const calls = pending();
  const tracing = new Tracing();
  tracing.trace = info;
  void tracing.start("m", request);
  tracing.cancel();
  expect(calls[0]!.signal.aborted).toBe(true);
  expect([tracing.isRunning, tracing.isCancelled, tracing.trace]).toEqual([false, true, info]);
});

test("a failure is the server's sentence, and the last trace stays", async () => {
  vi.spyOn(client, "trace").mockRejectedValue(new Error("The text is empty."));
  const tracing = new Tracing();
  tracing.trace = info;
  expect(await tracing.start("m", request)).toBeNull();
  expect([tracing.error, tracing.trace, tracing.isRunning]).toEqual(["The text is empty.", info, false]);
});
