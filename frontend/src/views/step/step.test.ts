import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { client } from "../../lib/api/client";
import type { ModelInfo, TraceInfo } from "../../lib/api/types";
import { START } from "../../lib/state/address";
import { place } from "../../lib/state/place.svelte";
import { session } from "../../lib/state/session.svelte";
import { expectAccessible } from "../../test/accessible";
import recorded from "../../test/recorded/story.json";
import AnswerChange from "./AnswerChange.svelte";
import StepView from "./StepView.svelte";

const model = recorded.model as unknown as ModelInfo;
const trace = recorded.trace as unknown as TraceInfo;

beforeEach(() => {
  place.move(START);
  session.main.trace = trace;
});
afterEach(() => vi.restoreAllMocks());

describe("a training step", () => {
  test("is asked for in the address, towards the model's likeliest token", async () => {
    render(StepView, { model });
    await waitFor(() => expect(place.current.mode).toBe("step"));
    expect(place.current.target).toBe(" a");
  });

  test("shows the loss before, and after a step with the weights that the first one left", async () => {
    session.main.trace = { ...trace, id: "s1", mode: "step", loss: 2.5, outputs: ["output", "loss"] };
    vi.spyOn(client, "top").mockResolvedValue(recorded.top);
    const again = vi.spyOn(client, "trace").mockResolvedValue({ ...trace, id: "s2", mode: "step", loss: 1.25 });
    place.move({ mode: "step", target: " good", input: { kind: "text", text: "This movie was" } });
    const { container } = render(StepView, { model });
    expect(await screen.findByText("1.25")).toBeTruthy();
    expect(screen.getByText("2.5")).toBeTruthy();
    expect(again.mock.calls[0]![1]).toMatchObject({ mode: "step", target: " good", weights_after: "s1" });
    await expectAccessible(container);
  });

  test("takes another target after a pause", async () => {
    place.move({ mode: "step", target: " good" });
    render(StepView, { model });
    await fireEvent.input(screen.getByRole("combobox", { name: "The next token should be" }), {
      target: { value: " bad" },
    });
    await waitFor(() => expect(place.current.target).toBe(" bad"));
  });
});

describe("how the answer changes", () => {
  test("shows both shares and which way they went, without colour", async () => {
    const first = recorded.top[0]!;
    const later = recorded.top.map((entry) => (entry === first ? { ...entry, probability: 0.5 } : entry));
    vi.spyOn(client, "top").mockImplementation((id) => Promise.resolve(id === trace.id ? recorded.top : later));
    const { container } = render(AnswerChange, { before: trace, after: { ...trace, id: "after" } });
    const row = (await screen.findByText("50.0 %")).closest("tr")!;
    expect(row.textContent).toContain("11.9 %");
    expect(row.textContent).toContain("more");
    await expectAccessible(container);
  });
});
