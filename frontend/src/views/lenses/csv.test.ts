import { expect, test } from "vitest";
import { csvOf } from "./csv";

test("a table becomes lines of cells, and what would break them is quoted", () => {
  const table = {
    columns: ["", "true"],
    rows: [
      ["a, b", 1.5],
      ['say "no"', null],
    ],
  };
  expect(csvOf(table)).toBe(',true\n"a, b",1.5\n"say ""no""",\n');
});
