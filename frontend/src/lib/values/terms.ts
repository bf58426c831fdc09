// The terms of an explanation as a table: operands that are of one value in all terms share a column heading.
import type { Explanation, Term } from "../api/types";

export type Operand = Term["operands"][number];

/** The value that all operands in a column are of; null where they differ or a term has none there. */
export function columnNames(terms: readonly Term[]): (string | null)[] {
  const numColumns = Math.max(0, ...terms.map(({ operands }) => operands.length));
  return Array.from({ length: numColumns }, (_, column) => {
    const names = new Set(terms.map(({ operands }) => operands[column]?.name));
    const [only] = names;
    return names.size === 1 && only !== undefined ? only : null;
  });
}

/** The terms as they are listed: a choice among operands names the chosen one a second time, as one of them. */
export function listedTerms({ kind, terms }: Explanation): readonly Term[] {
  if (kind !== "selection") return terms;
  return terms.map((term) => ({
    ...term,
    operands: term.operands.filter(
      ({ name, index }, i, all) => i === all.findIndex((one) => one.name === name && one.index.join() === index.join()),
    ),
  }));
}

/** Whether bars of contributions say something: the terms are added up. */
export function isSum(explanation: Explanation): boolean {
  return explanation.kind === "sum";
}

/** Operands by the value they are elements of, in the order of the terms. */
export function operandsByName(terms: readonly Term[]): Map<string, number[][]> {
  const result = new Map<string, number[][]>();
  for (const { name, index } of terms.flatMap(({ operands }) => operands)) {
    const known = result.get(name) ?? [];
    if (!known.some((one) => one.join() === index.join())) known.push(index);
    result.set(name, known);
  }
  return result;
}
