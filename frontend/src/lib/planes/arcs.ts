// Draws attention as arcs: queries on the left, keys on the right, a curve for each weight, wide where it is large.
import { coloursOf } from "./colours";

export interface ArcsFrame {
  width: number;
  ratio: number;
  queries: readonly string[];
  keys: readonly string[];
  /** Row by row: how much query q looks at key k. */
  weights: Float32Array;
  query: number;
  key: number;
}

export const ARC_ROW = 26;
const LABEL_SHARE = 0.32;

/** Where the labels end and the arcs begin, from either side. */
export function arcColumn(width: number): number {
  return Math.min(150, width * LABEL_SHARE);
}

export function paintArcs(canvas: HTMLCanvasElement, frame: ArcsFrame): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, ratio, queries, keys, weights } = frame;
  const height = ARC_ROW * Math.max(queries.length, keys.length);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const colours = coloursOf(canvas);
  const accent = getComputedStyle(canvas).getPropertyValue("--accent");
  const [from, to] = [arcColumn(width), width - arcColumn(width)];
  const y = (row: number) => (row + 0.5) * ARC_ROW;
  const weight = (query: number, key: number) => weights[query * keys.length + key]!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);

  const curve = (query: number, key: number, alpha: number, colour: string, wide: number) => {
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.beginPath();
    context.moveTo(from, y(query));
    const middle = (from + to) / 2;
    context.bezierCurveTo(middle, y(query), middle, y(key), to, y(key));
    context.stroke();
  };
  queries.forEach((_, query) => {
    if (query === frame.query) return;
    keys.forEach((_, key) => {
      const share = weight(query, key);
      if (share > 0.02) curve(query, key, 0.3 * share, colours.soft, 1 + 2 * share);
    });
  });
  keys.forEach((_, key) => {
    const share = weight(frame.query, key);
    if (share > 0.001)
      curve(frame.query, key, 0.25 + 0.75 * share, key === frame.key ? colours.mark : accent, 1 + 9 * share);
  });
  context.globalAlpha = 1;

  context.textBaseline = "middle";
  const text = (label: string, x: number, row: number, align: CanvasTextAlign, isChosen: boolean) => {
    context.textAlign = align;
    context.font = `${isChosen ? "600 " : ""}15px ${colours.font}`;
    context.fillStyle = isChosen ? colours.ink : colours.soft;
    context.fillText(label, x, y(row), arcColumn(width) - 8);
  };
  queries.forEach((label, row) => text(label, from - 8, row, "right", row === frame.query));
  keys.forEach((label, row) => {
    // How much of the chosen query's attention a key has stands behind its label.
    const share = weight(frame.query, row);
    context.fillStyle = accent;
    context.globalAlpha = 0.18;
    context.fillRect(to + 4, row * ARC_ROW + 3, (arcColumn(width) - 6) * Math.max(0, Math.min(1, share)), ARC_ROW - 6);
    context.globalAlpha = 1;
    text(label, to + 8, row, "left", row === frame.key);
  });
}
