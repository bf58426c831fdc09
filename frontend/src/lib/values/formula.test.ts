import { expect, test } from "vitest";
import { parseFormula } from "./formula";

const marked = (text: string) =>
  parseFormula(text)
    .map(({ kind, text: part }) => ({ text: part, sub: `<${part}>`, sup: `^${part}^`, variable: `/${part}/` })[kind])
    .join("");

test("subscripts, superscripts and variables are told apart", () => {
  expect(marked("softmax(x)_i = exp(x_i − max x) / Σ_j exp(x_j − max x)")).toBe(
    "softmax(/x/)<i> = exp(/x/<i> − max /x/) / Σ<j> exp(/x/<j> − max /x/)",
  );
  expect(marked("Q·K^T / √d_{head}")).toBe("/Q/·/K/^T^ / √/d/<head>");
});

test("names with underscores stay names", () => {
  expect(marked("block_1/attention = x")).toBe("block_1/attention = /x/");
});

test("numbers are left as they are", () => {
  expect(marked("1 / 1.9972 = 0.50069 − 2.5e-07")).toBe("1 / 1.9972 = 0.50069 − 2.5e-07");
});
