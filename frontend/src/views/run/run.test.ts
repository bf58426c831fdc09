import { fireEvent, render, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, test, vi } from "vitest";
import { client } from "../../lib/api/client";
import type { ModelInfo, RunInfo } from "../../lib/api/types";
import { expectAccessible } from "../../test/accessible";
import recorded from "../../test/recorded/story.json";
import RunView from "./RunView.svelte";

const model = recorded.model as unknown as ModelInfo;
const run = recorded.run as unknown as RunInfo;

afterEach(() => vi.restoreAllMocks());

describe("the run", () => {
  test("shows curves, settings that differ, data, samples, and that no forecast was made", async () => {
    vi.spyOn(client, "run").mockResolvedValue(run);
    const { container } = render(RunView, { model });
    expect(await screen.findByText("Complete")).toBeTruthy();
    expect(screen.getByRole("application", { name: /^Loss/ })).toBeTruthy();
    const changed = screen.getByRole("table", { name: "Settings" });
    expect(within(changed).getByText("300").closest("tr")!.className).toContain("changed");
    expect(screen.getByText("No forecast was made for this run.")).toBeTruthy();
    expect(container.textContent).toContain(run.samples.at(-1)!.text.slice(0, 20));
    await expectAccessible(container);
  });

  test("shows a forecast beside what happened, where there is one", async () => {
    vi.spyOn(client, "run").mockResolvedValue({ ...run, forecast: { train_s: [100, 200] }, actual: { train_s: 150 } });
    render(RunView, { model });
    const table = await screen.findByRole("table", { name: "Forecast and what happened" });
    expect(within(table).getByRole("row", { name: /Time of training/ }).textContent).toMatch(
      /1 min 40 s – 3 min 20 s.*2 min 30 s/,
    );
  });

  test("goes on with the run while it trains", async () => {
    vi.spyOn(client, "run").mockResolvedValue({ ...run, status: "training" });
    const row = { step: 999, loss: 1.5, train_s: 500 };
    vi.spyOn(client, "runEvents").mockImplementation(async function* () {
      yield { event: "metrics", data: JSON.stringify([row]) };
      yield { event: "run", data: JSON.stringify({ ...run, metrics: [...run.metrics, row], status: "complete" }) };
    });
    const { container } = render(RunView, { model });
    expect(await screen.findByText("Complete")).toBeTruthy();
    expect(container.textContent).toContain("step 999: training 1.5");
  });

  test("can show only what differs from the default", async () => {
    vi.spyOn(client, "run").mockResolvedValue(run);
    render(RunView, { model });
    await fireEvent.click(await screen.findByRole("checkbox", { name: /differs from the default/ }));
    const rows = within(screen.getByRole("table", { name: "Settings" })).getAllByRole("row");
    expect(rows.every((row) => row.className.includes("changed"))).toBe(true);
    expect(rows.length).toBeGreaterThan(0);
  });
});
