import { expect, test } from "vitest";
import type { Explanation } from "../api/types";
import recorded from "../../test/recorded/reviews.json";
import { columnNames, isSum, listedTerms, operandsByName } from "./terms";

const sum = recorded.sum as Explanation;
const formula = recorded.formula as Explanation;

test("operands of one value share a heading", () => {
  expect(columnNames(sum.terms)).toEqual(["block_1/attention_norm/output", "block_1/attention/query/kernel"]);
  expect(columnNames(formula.terms)).toEqual([null]);
  expect([isSum(sum), isSum(formula)]).toEqual([true, false]);
});

test("a choice lists the chosen operand once, a sum all of its factors", () => {
  const operand = (name: string, index: number[]) => ({ name, index, value: 1, value_text: "1", meaning: null });
  const operands = [operand("x", [0, 1]), operand("x", [0, 1]), operand("x", [0, 2]), operand("constant", [])];
  const terms = [{ contribution: 1, contribution_text: "1", coefficient: 1, operands }];
  const listed = (kind: Explanation["kind"]) => listedTerms({ ...sum, kind, terms })[0]!.operands;
  expect(listed("selection")).toEqual([operands[0], operands[2], operands[3]]);
  expect(listed("sum")).toEqual(operands);
});

test("operands are gathered by their value, each place once", () => {
  const gathered = operandsByName(sum.terms);
  expect(gathered.get("block_1/attention/query/kernel")).toHaveLength(8);
  expect(operandsByName([...sum.terms, ...sum.terms]).get("block_1/attention/query/kernel")).toHaveLength(8);
});
