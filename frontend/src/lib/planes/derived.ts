// Planes made of other planes, element by element: a difference, an average over heads.
import type { Plane } from "../api/types";
import type { PlaneSource, Tile } from "./plane";

/**
 * A plane whose elements are a linear combination of the same elements of others, as far as all of them reach.
 *
 * The mean of a cell at a higher level is the combination of the means; least and largest cannot be had from a
 * pyramid, so there the mean stands for them.
 */
export class DerivedPlane implements PlaneSource {
  readonly key: string;
  readonly info: Plane;

  constructor(
    private readonly sources: readonly PlaneSource[],
    private readonly weights: readonly number[],
    range: Pick<Plane, "min" | "max">,
  ) {
    this.key = sources.map((source, i) => `${weights[i]} · ${source.key}`).join(" + ");
    const num_rows = Math.min(...sources.map(({ info }) => info.num_rows));
    const num_cols = Math.min(...sources.map(({ info }) => info.num_cols));
    const isSameSize = sources.every(({ info }) => info.num_rows === num_rows && info.num_cols === num_cols);
    // Cells of higher levels at the border would stand for elements that only some have.
    const num_levels = isSameSize ? sources[0]!.info.num_levels : 1;
    this.info = { num_rows, num_cols, num_levels, mean: null, std: null, num_nonfinite: 0, ...range };
  }

  tile(level: number, row: number, col: number): Tile | null {
    const parts = this.sources.map((source) => source.tile(level, row, col));
    return parts.every((part) => part !== null) ? this.#combine(parts) : null;
  }

  async load(level: number, row: number, col: number): Promise<Tile> {
    return this.#combine(await Promise.all(this.sources.map((source) => source.load(level, row, col))));
  }

  onload(listener: (error: string | null) => void): () => void {
    const stops = this.sources.map((source) => source.onload(listener));
    return () => stops.forEach((stop) => stop());
  }

  #combine(parts: readonly Tile[]): Tile {
    const width = Math.min(...parts.map((part) => part.width));
    const height = Math.min(...parts.map((part) => part.height));
    const mean = new Float32Array(width * height);
    parts.forEach((part, which) => {
      const weight = this.weights[which]!;
      for (let row = 0; row < height; row++) {
        for (let col = 0; col < width; col++) mean[row * width + col]! += weight * part.mean[row * part.width + col]!;
      }
    });
    return { width, height, mean, min: mean, max: mean };
  }
}

/** first − second; `largest` is the largest absolute difference, which the comparison tells. */
export function difference(first: PlaneSource, second: PlaneSource, largest: number): PlaneSource {
  return new DerivedPlane([first, second], [1, -1], { min: -largest, max: largest });
}

/** The mean of planes of one size. */
export function average(planes: readonly PlaneSource[]): PlaneSource {
  const least = Math.min(...planes.map(({ info }) => info.min ?? 0));
  const largest = Math.max(...planes.map(({ info }) => info.max ?? 0));
  return new DerivedPlane(
    planes,
    planes.map(() => 1 / planes.length),
    { min: least, max: largest },
  );
}
