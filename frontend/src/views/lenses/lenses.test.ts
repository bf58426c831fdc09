import { fireEvent, render, screen, within } from "@testing-library/svelte";
import { afterEach, describe, expect, test, vi } from "vitest";
import { client } from "../../lib/api/client";
import type { LensInfo, LensView, ModelInfo } from "../../lib/api/types";
import { START } from "../../lib/state/address";
import { place } from "../../lib/state/place.svelte";
import { expectAccessible } from "../../test/accessible";
import recorded from "../../test/recorded/story.json";
import LensesView from "./LensesView.svelte";

const model = recorded.model as unknown as ModelInfo;

const LENSES: LensInfo[] = [
  {
    name: "grad-cam",
    title: "Grad-CAM",
    says: "which places of a picture an answer comes from",
    source: "Selvaraju et al. (2017)",
    why_not: null,
    reads_input: false,
    settings: [{ name: "layer", label: "Layer", kind: "choice", choices: ["a", "b"], left_open: "chosen by the lens" }],
  },
  {
    name: "gates",
    title: "Gates",
    says: "what a layer keeps",
    source: "Cho et al. (2014)",
    why_not: "it has no LSTM or GRU layer",
    reads_input: true,
    settings: [],
  },
];

const VIEW: LensView = {
  lens: "grad-cam",
  title: "Grad-CAM",
  says: LENSES[0]!.says,
  source: LENSES[0]!.source,
  text: "7: score 3.2\n  hottest at row 1",
  notes: [],
  pictures: [{ picture: "data:image/png;base64,iVBORw0KGgo=", alt: "Grad-CAM of digits: 7" }],
  tables: [{ title: "Heat", columns: ["", "0"], rows: [["0", 0.5]], num_rows: 900, num_columns: 1 }],
  numbers: { heat: [[0.5]] },
  settings: {},
  duration_s: 1,
};

afterEach(() => {
  vi.restoreAllMocks();
  place.move({ ...START });
});

describe("lenses", () => {
  test("are listed with what they show, and why others do not", async () => {
    vi.spyOn(client, "lenses").mockResolvedValue(LENSES);
    const { container } = render(LensesView, { model });
    const list = await screen.findByRole("navigation", { name: "Lenses for this model" });
    expect(list.textContent).toContain("which places of a picture");
    expect(screen.getByText("1 lens has nothing to show here")).toBeTruthy();
    expect(container.textContent).toContain("it has no LSTM or GRU layer");
    await expectAccessible(container);
  });

  test("a lens that is opened shows picture, words, source and numbers, and asks anew for another setting", async () => {
    vi.spyOn(client, "lenses").mockResolvedValue(LENSES);
    const lens = vi.spyOn(client, "lens").mockResolvedValue(VIEW);
    const { container } = render(LensesView, { model });
    await fireEvent.click(await screen.findByRole("link", { name: "Grad-CAM" }));
    expect(place.current.lens).toBe("grad-cam");
    expect(await screen.findByRole("img", { name: "Grad-CAM of digits: 7" })).toBeTruthy();
    expect(container.textContent).toContain("hottest at row 1");
    expect(container.textContent).toContain("Source: Selvaraju et al. (2017).");
    expect(screen.getByText("the first 1 of 900 rows")).toBeTruthy();
    const table = screen.getByRole("table", { name: "Heat", hidden: true });
    expect(within(table).getByText("0.5")).toBeTruthy();
    await expectAccessible(container);
    await fireEvent.change(screen.getByRole("combobox", { name: "Layer" }), { target: { value: "b" } });
    expect(place.current.lensSettings).toEqual({ layer: "b" });
    await vi.waitFor(() => expect(lens.mock.lastCall?.[2]).toEqual({ settings: { layer: "b" } }));
  });

  test("an error stands in place, with a way to try again", async () => {
    place.move({ lens: "grad-cam" });
    vi.spyOn(client, "lenses").mockResolvedValue(LENSES);
    vi.spyOn(client, "lens").mockRejectedValue(new Error("The data is gone. Put it back."));
    render(LensesView, { model });
    expect((await screen.findByRole("alert")).textContent).toContain("Put it back.");
    expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
  });

  test("an address of a lens that has nothing to show says why", async () => {
    place.move({ lens: "gates" });
    vi.spyOn(client, "lenses").mockResolvedValue(LENSES);
    render(LensesView, { model });
    expect((await screen.findByRole("alert")).textContent).toContain("it has no LSTM or GRU layer");
  });
});
