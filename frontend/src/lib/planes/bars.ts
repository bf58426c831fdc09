// Draws a plane of one row as bars up and down from zero; where elements are narrower than a pixel, from the least to the
// largest of those that share it.
import { levelFor } from "./geometry";
import type { PlaneSource } from "./plane";
import type { Colours } from "./renderer";
import { TILE } from "../values/slicing";

export interface BarsFrame {
  width: number;
  height: number;
  left: number;
  ratio: number;
  /** Width of an element in CSS pixels. */
  cell: number;
  colours: Colours & { positive: string; negative: string };
  marks: readonly number[];
}

/** Where zero lies, from the top, when the range fills the height. */
export function zeroLine(min: number, max: number, height: number): number {
  const [low, high] = [Math.min(0, min), Math.max(0, max)];
  return high === low ? height : (height * high) / (high - low);
}

export function paintBars(context: CanvasRenderingContext2D, source: PlaneSource, frame: BarsFrame): void {
  const { width, height, left, ratio, cell, colours } = frame;
  const { num_cols, num_levels, min, max } = source.info;
  const [low, high] = [Math.min(0, min ?? 0), Math.max(0, max ?? 0)];
  const zero = zeroLine(low, high, height);
  const unit = high > low ? height / (high - low) : 0;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const level = levelFor(cell, ratio, num_levels);
  const edge = 2 ** level;
  const span = edge * cell;
  const first = Math.floor(left / span);
  const last = Math.min(Math.ceil(num_cols / edge), Math.ceil((left + width) / span));
  for (let position = first; position < last; position++) {
    const tile = source.tile(level, 0, Math.floor(position / TILE));
    const x = position * span - left;
    const wide = Math.max(1 / ratio, span > 3 ? span - 1 : span);
    if (!tile) {
      context.fillStyle = colours.waiting;
      context.fillRect(x, 0, wide, height);
      continue;
    }
    const [least, largest] = [tile.min[position % TILE]!, tile.max[position % TILE]!];
    if (!Number.isFinite(least)) {
      context.fillStyle = colours.nonfinite;
      context.fillRect(x, 0, wide, height);
      continue;
    }
    if (largest > 0) {
      context.fillStyle = colours.positive;
      context.fillRect(x, zero - largest * unit, wide, largest * unit);
    }
    if (least < 0) {
      context.fillStyle = colours.negative;
      context.fillRect(x, zero, wide, -least * unit);
    }
  }
  context.fillStyle = colours.soft;
  context.fillRect(0, Math.min(height - 1, zero), width, 1);
  context.fillStyle = colours.mark;
  for (const mark of frame.marks) {
    const x = mark * cell - left;
    context.fillRect(x, 0, Math.max(2, cell), 3);
    context.fillRect(x, height - 3, Math.max(2, cell), 3);
  }
}
