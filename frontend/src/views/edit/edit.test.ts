import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { client } from "../../lib/api/client";
import type { ModelInfo, TraceInfo } from "../../lib/api/types";
import { START } from "../../lib/state/address";
import { place } from "../../lib/state/place.svelte";
import { session } from "../../lib/state/session.svelte";
import { expectAccessible } from "../../test/accessible";
import recorded from "../../test/recorded/story.json";
import EditView from "./EditView.svelte";
import NumberEditor from "./NumberEditor.svelte";

const model = recorded.model as unknown as ModelInfo;
const trace = recorded.trace as unknown as TraceInfo;
const table = "token_embedding/embeddings";

beforeEach(() => {
  place.move({ ...START, value: table, index: [2, 1] });
  session.main.trace = trace;
  vi.spyOn(client, "plane").mockResolvedValue(recorded.weights.plane);
  vi.spyOn(client, "tile").mockResolvedValue(new Float32Array(16));
  vi.spyOn(client, "series").mockResolvedValue(Float32Array.from([0, 0.25, 0]));
  vi.spyOn(client, "top").mockResolvedValue(recorded.top);
});
afterEach(() => vi.restoreAllMocks());

describe("changing a number", () => {
  test("writes the edit into the address, and restores", async () => {
    const { container } = render(EditView, { model });
    const field = screen.getByRole<HTMLInputElement>("textbox", { name: `${table}[2,1] =` });
    await waitFor(() => expect(field.value).toBe("0.25"));
    await fireEvent.input(field, { target: { value: "1,5" } });
    await fireEvent.submit(field.form!);
    expect(place.current.edits).toEqual([{ name: table, index: [2, 1], value: 1.5 }]);
    await expectAccessible(container);
    await fireEvent.click(await screen.findByRole("button", { name: `Restore ${table}[2,1]` }));
    expect(place.current.edits).toEqual([]);
  });

  test("lists what changed downstream, as the server ranks it", async () => {
    const edits = [{ name: table, index: [2, 1], value: 1.5 }];
    place.move({ edits, input: { kind: "text", text: "This movie was" } });
    session.main.trace = { ...trace, id: "edited", edits };
    const plain = vi.spyOn(client, "trace").mockResolvedValue(trace);
    vi.spyOn(client, "comparison").mockResolvedValue({
      first: trace.id,
      second: "edited",
      values: [
        { name: "output", shape: [1, 4, 2048], relative: 0.5, largest: 0.75, index: [0, 3, 2] },
        { name: "input/tokens", shape: [1, 4], relative: 0, largest: 0, index: [0, 0] },
      ],
      not_compared: [],
    });
    render(EditView, { model });
    const changed = await screen.findByRole("table", { name: "What else changed" });
    expect(changed.textContent).toContain("output");
    expect(changed.textContent).toContain("50.0 %");
    expect(changed.textContent).not.toContain("input/tokens");
    expect(screen.getByText("1 of 2 values changed.")).toBeTruthy();
    expect(plain.mock.calls[0]![1].edits).toEqual([]);
  });

  test("refuses what is no number in a sentence", async () => {
    const onchange = vi.fn();
    const subject = { name: "w", index: [0] };
    render(NumberEditor, { subject, value: 1, isChanged: false, onchange, onrestore: vi.fn() });
    const field = screen.getByRole<HTMLInputElement>("textbox");
    await fireEvent.input(field, { target: { value: "much" } });
    await fireEvent.submit(field.form!);
    expect(onchange).not.toHaveBeenCalled();
    expect(screen.getByText("“much” is no number.")).toBeTruthy();
  });
});
