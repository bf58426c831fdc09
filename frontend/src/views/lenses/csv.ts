// A table of a lens as text that every spreadsheet reads.
import type { LensTable } from "../../lib/api/types";

/** Rows of cells parted by commas; a text with a comma, a quote or a line break stands in quotes. */
export function csvOf(table: Pick<LensTable, "columns" | "rows">): string {
  return [table.columns, ...table.rows].map((row) => row.map(cell).join(",") + "\n").join("");
}

function cell(value: string | number | null): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
