// What of a value is on the screen just now, for "copy as NumPy" and the picture file.
import type { ValueInfo } from "../../lib/api/types";
import type { PlaneSource } from "../../lib/planes/plane";

export interface VisiblePlane {
  name: string;
  index: readonly number[];
  rows: number;
  cols: number;
  info: ValueInfo;
  source: PlaneSource;
  /** Rows and columns that are seen, the ends excluded. */
  range: () => { rows: [number, number]; cols: [number, number] };
  /** Left out where there is no picture to save. */
  canvas?: () => HTMLCanvasElement | null;
}

class Visible {
  current = $state.raw<VisiblePlane | null>(null);

  /** Say what is shown; returns how to take it back. */
  show(plane: VisiblePlane): () => void {
    this.current = plane;
    return () => {
      if (this.current === plane) this.current = null;
    };
  }
}

export const visible = new Visible();
