import { expect, test } from "vitest";
import recorded from "../../test/recorded/forecast.json";
import { parseEvent, readEvents } from "./events";

/** A body that comes in pieces of so many bytes. */
function inPieces(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, (at += size)));
    },
  });
}

async function all(body: ReadableStream<Uint8Array>) {
  const events = [];
  for await (const event of readEvents(body)) events.push(event);
  return events;
}

test.each([1, 7, 10_000])("a recorded stream is read the same in pieces of %i bytes", async (size) => {
  const events = await all(inPieces(recorded.events, size));
  expect(events.length).toBeGreaterThan(0);
  expect(events.every(({ event }) => event === "progress")).toBe(true);
  expect(JSON.parse(events[0]!.data)).toHaveProperty("stage");
});

test("all line ends, comments and several lines of data", async () => {
  const events = await all(inPieces(": keep alive\n\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\ndata: é\n\n", 1));
  expect(events).toEqual([
    { event: "a", data: "1\n2" },
    { event: "message", data: "é" },
  ]);
});

test("a block without data is no event", () => expect(parseEvent("event: a\nid: 3")).toBeNull());

test("the body is cancelled when the reader stops early", async () => {
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
    cancel: () => {
      isCancelled = true;
    },
  });
  for await (const event of readEvents(body)) {
    expect(event.data).toBe("1");
    break;
  }
  expect(isCancelled).toBe(true);
});
