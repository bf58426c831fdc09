// Planes made of other planes, element by element: a difference, an average over heads.
import type { Plane } from "../api/types";
import type { PlaneSource, Tile } from "./plane";

/**
 * A plane whose elements are a linear combination of the same elements of others.
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
    const { num_rows, num_cols, num_levels } = sources[0]!.info;
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
    const first = parts[0]!;
    const mean = new Float32Array(first.mean.length);
    parts.forEach((part, which) => {
      const weight = this.weights[which]!;
      for (let i = 0; i < mean.length; i++) mean[i]! += weight * part.mean[i]!;
    });
    return { width: first.width, height: first.height, mean, min: mean, max: mean };
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
