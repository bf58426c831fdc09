// What stands along an axis of a value, for people: tokens, classes, columns, or just positions.
import { t } from "../../lib/messages/messages";
import type { InputSpec, TraceInfo, ValueInfo } from "../../lib/api/types";

/** The text of each position along an axis; null where positions are all there is. */
export function axisLabels(
  trace: TraceInfo,
  spec: InputSpec,
  info: ValueInfo,
  axis: number,
): ((position: number) => string) | null {
  switch (info.labels[axis]) {
    case "tokens": {
      const tokens = trace.input.tokens ?? [];
      return (position) => tokens[position]?.shown ?? String(position);
    }
    case "classes": {
      const classes = spec.kind === "image" || spec.kind === "text" ? spec.classes : null;
      return classes ? (position) => classes[position] ?? String(position) : null;
    }
    case "columns": {
      const columns = columnsOf(spec);
      return columns.length === info.shape[axis] ? (position) => columns[position]! : null;
    }
    case "rows": {
      const rows = trace.input.row_names ?? [];
      return (position) => rows[position] ?? String(position);
    }
    default:
      return null;
  }
}

function columnsOf(spec: InputSpec): readonly string[] {
  if (spec.kind === "line") return spec.columns ?? [];
  return spec.kind === "arrays" ? spec.inputs.flatMap((input) => input.columns ?? []) : [];
}

/** What an axis is called: its name, else its number. */
export function axisName(info: ValueInfo, axis: number): string {
  return info.axes[axis] || t("axis.number", { number: axis });
}

/** Where one looks first: at what the model says after the last token, else at the beginning. */
export function firstIndex(trace: TraceInfo, info: ValueInfo): number[] {
  const numTokens = trace.input.tokens?.length ?? 0;
  const isByPosition = info.kind === "logits" || info.kind === "attention";
  const isAnswer =
    trace.outputs?.[0] !== undefined && trace.values[trace.outputs[0]] === info && info.kind === "logits";
  return info.shape.map((size, axis) => {
    if (isAnswer && axis === info.shape.length - 1) return Math.min(trace.answer[0]?.index ?? 0, size - 1);
    const isTokens = info.labels[axis] === "tokens" && isByPosition && !(info.kind === "attention" && axis === 3);
    return isTokens && numTokens ? Math.min(numTokens, size) - 1 : 0;
  });
}

/** An index that fits the shape: of the right length and within bounds; the first one otherwise. */
export function fittingIndex(trace: TraceInfo, info: ValueInfo, index: readonly number[] | null): number[] {
  if (!index || index.length !== info.shape.length) return firstIndex(trace, info);
  return index.map((position, axis) => Math.max(0, Math.min(info.shape[axis]! - 1, position)));
}
