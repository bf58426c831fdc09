// Which pictures a value has, the one that fits best first.
import type { ValueInfo } from "../../lib/api/types";

export type PictureId =
  "number" | "vector" | "matrix" | "arcs" | "maps" | "kernels" | "bars" | "lines" | "tokens" | "neighbours" | "table";

export function picturesFor(info: ValueInfo): PictureId[] {
  const rank = info.shape.length;
  if (info.shape.every((size) => size === 1)) return ["number", "table"];
  const plain: PictureId[] = rank === 1 ? ["vector", "table"] : ["matrix", "table"];
  const own: PictureId[] = [];
  switch (info.kind) {
    case "attention":
      if (rank === 4) own.push("arcs");
      break;
    case "feature_maps":
      if (rank === 4) own.push("maps");
      break;
    case "kernels":
      if (rank === 4) own.push("kernels");
      break;
    case "logits":
      own.push("bars");
      break;
    case "series":
      own.push("lines");
      break;
    case "embedding_table":
      if (rank === 2) plain.splice(1, 0, "neighbours");
      break;
  }
  if (tokenAxis(info) !== null && info.kind !== "attention") plain.splice(1, 0, "tokens");
  if (info.kind === "tokens") own.unshift("tokens");
  const last = info.shape[rank - 1]!;
  if (rank > 1 && !own.includes("lines") && last > 1) plain.splice(-1, 0, "vector");
  return [...new Set([...own, ...plain])];
}

/** The axis along which the input's tokens stand; null where there is none. Of two, the first: whose values these are. */
export function tokenAxis(info: ValueInfo): number | null {
  const axis = info.labels.indexOf("tokens");
  return axis < 0 ? null : axis;
}

/** The axes of a plane: those asked for where they are two axes of the value, else the last two. */
export function planeAxes(info: ValueInfo, rows: number | null, cols: number | null): { rows: number; cols: number } {
  const rank = info.shape.length;
  const standard = { rows: Math.max(0, rank - 2), cols: Math.max(0, rank - 1) };
  if (rank < 2 || rows === null || cols === null || rows === cols || rows >= rank || cols >= rank) {
    return info.kind === "feature_maps" && rank === 4
      ? { rows: 1, cols: 2 }
      : info.kind === "kernels" && rank === 4
        ? { rows: 0, cols: 1 }
        : standard;
  }
  return { rows, cols };
}
