// A plane whose numbers are all here: a line that was asked for as a series.
import type { Plane } from "../api/types";
import { tileOf } from "../values/slicing";
import { describePlane } from "../values/statistics";
import { readTile, type PlaneSource, type Tile } from "./plane";

export class MemoryPlane implements PlaneSource {
  readonly info: Plane;
  readonly #tiles = new Map<string, Tile>();

  constructor(
    readonly key: string,
    private readonly numbers: Float32Array,
    numRows = 1,
  ) {
    this.info = describePlane(numbers, numRows, numbers.length / numRows);
  }

  tile(level: number, row: number, col: number): Tile {
    const key = `${level} ${row} ${col}`;
    let tile = this.#tiles.get(key);
    if (!tile) {
      const body = tileOf(this.numbers, this.info.num_rows, this.info.num_cols, level, row, col);
      this.#tiles.set(key, (tile = readTile(body, level, row, col, this.info)));
    }
    return tile;
  }

  load(level: number, row: number, col: number): Promise<Tile> {
    return Promise.resolve(this.tile(level, row, col));
  }

  onload(): () => void {
    return () => undefined;
  }
}
