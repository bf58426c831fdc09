// What every picture of a value is given.
import type { ModelInfo, TraceInfo, ValueInfo } from "../../lib/api/types";

export interface PictureProps {
  model: ModelInfo;
  trace: TraceInfo;
  name: string;
  info: ValueInfo;
  /** The focused element, one number for each axis; always within bounds. */
  index: number[];
  /** The axes of the plane that is shown, where the picture is of a plane. */
  rows: number;
  cols: number;
  /** Elements to light up. */
  marks: readonly number[][];
  maxHeight: number;
  onmove: (index: number[]) => void;
  /** "Where does this come from?" */
  onactivate: (index: number[]) => void;
  onaxes: (rows: number, cols: number) => void;
  /** Only the picture, without what changes it: where it stands in a story that has its own choices. */
  plain?: boolean;
  /** Another value in the same picture; where it is left out, this cannot be chosen. */
  onname?: (name: string) => void;
}

/** `index` with some positions replaced. */
export function withPositions(index: readonly number[], changes: Record<number, number>): number[] {
  return index.map((position, axis) => changes[axis] ?? position);
}
