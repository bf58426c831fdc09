// A plane of numbers that a matrix shows: described at once, its tiles brought when they are seen.
import type { Client, PlaneAddress } from "../api/client";
import type { Plane } from "../api/types";
import { TILE } from "../values/slicing";
import { ByteCache } from "./cache";

/** What a tile holds: numbers of elements at level 0; of each cell's elements the mean, least and largest above. */
export interface Tile {
  width: number;
  height: number;
  mean: Float32Array;
  min: Float32Array;
  max: Float32Array;
}

export interface PlaneSource {
  /** Equal for planes that hold the same numbers. */
  readonly key: string;
  readonly info: Plane;
  /** The tile, where it is here; else null, and it is asked for: `onload` tells when it has come. */
  tile(level: number, row: number, col: number): Tile | null;
  /** Waits for the tile. */
  load(level: number, row: number, col: number): Promise<Tile>;
  /** Called when a tile has come, or could not (with the sentence). Returns how to stop that. */
  onload(listener: (error: string | null) => void): () => void;
}

/** One element, where its tile is here; undefined, and asked for, where not. Outside the plane there is none. */
export function numberAt(source: PlaneSource, row: number, col: number): number | undefined {
  if (row >= source.info.num_rows || col >= source.info.num_cols) return undefined;
  const tile = source.tile(0, Math.floor(row / TILE), Math.floor(col / TILE));
  return tile?.mean[(row % TILE) * tile.width + (col % TILE)];
}

const CACHE_BYTES = 48 * 2 ** 20;
const tiles = new ByteCache<Tile>(CACHE_BYTES);

/** A plane of a value of a trace. */
export class RemotePlane implements PlaneSource {
  readonly key: string;
  readonly #pending = new Map<string, Promise<Tile>>();
  readonly #listeners = new Set<(error: string | null) => void>();
  /** Tiles that could not be had are not asked for again and again. */
  readonly #failed = new Set<string>();

  constructor(
    private readonly client: Client,
    private readonly trace: string,
    private readonly address: PlaneAddress,
    readonly info: Plane,
  ) {
    const { name, at, rows, cols } = address;
    this.key = `${trace} ${name}[${at.map((held, axis) => (axis === rows || axis === cols ? ":" : held)).join(",")}] ${rows} ${cols}`;
  }

  tile(level: number, row: number, col: number): Tile | null {
    const key = this.#tileKey(level, row, col);
    const known = tiles.get(key);
    if (known) return known;
    if (!this.#failed.has(key)) this.load(level, row, col).catch(() => undefined);
    return null;
  }

  load(level: number, row: number, col: number): Promise<Tile> {
    const key = this.#tileKey(level, row, col);
    const known = tiles.get(key);
    if (known) return Promise.resolve(known);
    let pending = this.#pending.get(key);
    if (!pending) {
      pending = this.#fetch(level, row, col, key);
      this.#pending.set(key, pending);
    }
    return pending;
  }

  onload(listener: (error: string | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #fetch(level: number, row: number, col: number, key: string): Promise<Tile> {
    try {
      const body = await this.client.tile(this.trace, { ...this.address, level, row, col });
      const tile = readTile(body, level, row, col, this.info);
      tiles.set(key, tile, body.byteLength);
      this.#tell(null);
      return tile;
    } catch (error) {
      this.#failed.add(key);
      this.#tell(error instanceof Error ? error.message : String(error));
      throw error;
    } finally {
      this.#pending.delete(key);
    }
  }

  #tell(error: string | null): void {
    for (const listener of this.#listeners) listener(error);
  }

  #tileKey(level: number, row: number, col: number): string {
    return `${this.key} ${level} ${row} ${col}`;
  }
}

/** The parts of a tile's body. */
export function readTile(body: Float32Array, level: number, row: number, col: number, plane: Plane): Tile {
  const edge = 2 ** level;
  const height = Math.min(TILE, Math.ceil(plane.num_rows / edge) - row * TILE);
  const width = Math.min(TILE, Math.ceil(plane.num_cols / edge) - col * TILE);
  const size = width * height;
  if (level === 0) return { width, height, mean: body, min: body, max: body };
  return {
    width,
    height,
    min: body.subarray(0, size),
    mean: body.subarray(size, 2 * size),
    max: body.subarray(2 * size, 3 * size),
  };
}
