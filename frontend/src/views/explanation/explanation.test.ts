import { fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { client } from "../../lib/api/client";
import type { Explanation, ModelInfo, TraceInfo } from "../../lib/api/types";
import { START } from "../../lib/state/address";
import { place } from "../../lib/state/place.svelte";
import recorded from "../../test/recorded/reviews.json";
import { expectAccessible } from "../../test/accessible";
import ExplanationView from "./ExplanationView.svelte";

const trace = { id: "t", values: {}, input: { tokens: recorded.tokens } } as unknown as TraceInfo;
const model = { input: { kind: "text" } } as unknown as ModelInfo;
const sum = recorded.sum as Explanation;

beforeEach(() => place.move(START));
afterEach(() => vi.restoreAllMocks());

async function explain(explanation: unknown, walk: { name: string; index: number[] }[] = []) {
  vi.spyOn(client, "explanation").mockResolvedValue(explanation as Explanation);
  const { name, index } = explanation as Explanation;
  const view = render(ExplanationView, { model, trace, subject: { name, index }, walk });
  await waitFor(() => expect(view.container.querySelector(".subject")).not.toBeNull());
  return view;
}

test("a sum shows its eight largest terms, the rest and the total as the server told them", async () => {
  const { container } = await explain(sum);
  const rows = within(screen.getByRole("table")).getAllByRole("row");
  const texts = rows.map((row) => row.textContent!.replace(/\s+/g, " "));
  sum.terms.forEach((term, i) => {
    expect(texts[i + 1]).toContain(term.contribution_text);
    for (const operand of term.operands) expect(texts[i + 1]).toContain(operand.value_text);
  });
  expect(texts.at(-2)).toContain(sum.remainder_text);
  expect(texts.at(-2)).toContain(`${sum.num_terms - 8} more terms`);
  expect(texts.at(-1)).toContain(sum.value_text);
  expect(container.textContent).toMatch(/NumPy agrees to [\d.e-]+/);
  await expectAccessible(container);
});

test("a single number has no place", async () => {
  const zero = { name: "constant/1", index: [], value: 0, value_text: "0", meaning: null };
  const terms = [{ contribution: 0, contribution_text: "0", coefficient: 1, operands: [zero] }];
  const { container } = await explain({ ...recorded.formula, terms });
  expect(screen.getByRole("button", { name: "constant/1 = 0: where does it come from?" })).toBeTruthy();
  expect(container.textContent).not.toContain("[]");
});

test("an operand becomes the new subject, and the way leads back", async () => {
  await explain(sum);
  const operand = sum.terms[0]!.operands[1]!;
  await fireEvent.click(screen.getAllByRole("button", { name: /where does it come from/ })[1]!);
  expect(place.current).toMatchObject({ value: operand.name, index: operand.index });
  expect(place.current.walk).toEqual([{ name: sum.name, index: sum.index }]);
});

test("a step of the breadcrumb is gone back to", async () => {
  const walk = [
    { name: "output", index: [0, 3, 258] },
    { name: "final_norm/output", index: [0, 3, 1] },
  ];
  await explain(sum, walk);
  await fireEvent.click(within(screen.getByRole("navigation")).getAllByRole("button")[1]!);
  expect(place.current).toMatchObject({ value: "final_norm/output", index: [0, 3, 1], walk: walk.slice(0, 1) });
});

test("the end of the walk is the reader's own word", async () => {
  const { container } = await explain(recorded.input);
  expect(container.textContent).toContain(recorded.input.meaning);
  expect(container.textContent).toContain("this is your own input");
  expect(screen.queryByRole("table")).toBeNull();
});

test("a formula shows the textbook's and the one with real operands", async () => {
  const { container } = await explain(recorded.formula);
  expect(container.querySelector(".textbook")!.textContent).toContain("softmax");
  expect(container.textContent).toContain(recorded.formula.formula);
});

test("an error is the server's sentence", async () => {
  vi.spyOn(client, "explanation").mockRejectedValue(new Error("There is no element 9."));
  render(ExplanationView, { model, trace, subject: { name: "x", index: [9] }, walk: [] });
  expect((await screen.findByRole("alert")).textContent).toBe("There is no element 9.");
});
