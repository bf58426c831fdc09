import { expect, test } from "vitest";
import type { Explanation } from "../api/types";
import recorded from "../../test/recorded/reviews.json";
import { columnNames, isSum, operandsByName } from "./terms";

const sum = recorded.sum as Explanation;
const formula = recorded.formula as Explanation;

test("operands of one value share a heading", () => {
  expect(columnNames(sum.terms)).toEqual(["block_1/attention_norm/output", "block_1/attention/query/kernel"]);
  expect(columnNames(formula.terms)).toEqual([null]);
  expect([isSum(sum), isSum(formula)]).toEqual([true, false]);
});

test("operands are gathered by their value, each place once", () => {
  const gathered = operandsByName(sum.terms);
  expect(gathered.get("block_1/attention/query/kernel")).toHaveLength(8);
  expect(operandsByName([...sum.terms, ...sum.terms]).get("block_1/attention/query/kernel")).toHaveLength(8);
});
