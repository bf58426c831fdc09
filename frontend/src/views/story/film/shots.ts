// The numbers that the film of a story draws, asked from the server once: one shot for each stage.
import { client } from "../../../lib/api/client";
import type { DrawCandidate, ModelInfo, Stage, Token, TopEntry, TraceInfo, ValueInfo } from "../../../lib/api/types";
import { scaleFor, type ColourScale } from "../../../lib/colour/scale";
import { loadPlane, planeKey } from "../../../lib/planes/load";
import type { RemotePlane, Tile } from "../../../lib/planes/plane";
import { TILE } from "../../../lib/values/slicing";
import { axisLabels } from "../../values/labels";
import { countWords, type StageTime } from "../clock";
import { drawSettings } from "../stages/drawing.svelte";
import { blockOf, indexAt, numBeatsOf, planeOfStage, positionAt, valuesOf, walkAxis, type Choice } from "../resolve";

/** A plane as one tile: numbers, or means of small squares of them where it is large. */
export interface PlanePart {
  kind: "plane";
  name: string;
  tile: Tile;
  scale: ColourScale;
  rowLabels: string[] | null;
  /** For each beat the row or column that is lit. */
  lit: { axis: "row" | "col"; at: number }[];
}

export interface MapsPart {
  kind: "maps";
  name: string;
  maps: { channel: number; tile: Tile }[];
  scale: ColourScale;
  lit: number[];
}

export interface BarsPart {
  kind: "bars";
  name: string;
  /** For each beat the largest of the line there. */
  entries: TopEntry[][];
}

export interface LinesPart {
  kind: "lines";
  name: string;
  lines: Float32Array[];
  lit: number[];
}

export type Part =
  | { kind: "tokens"; tokens: readonly Token[]; lit: number[] }
  | { kind: "candidates"; candidates: readonly DrawCandidate[]; drawn: TraceInfo["drawn"] }
  | PlanePart
  | MapsPart
  | BarsPart
  | LinesPart;

export interface Shot {
  stage: Stage;
  time: StageTime;
  parts: Part[];
}

const MOST_PARTS = 3;
const MOST_MAPS = 16;
const MOST_LINES = 6;
const NUM_BARS = 8;
const MOST_TILES = 8;

/** All shots of a story; `onload` is told how many there are so far. */
export async function loadShots(
  model: ModelInfo,
  trace: TraceInfo,
  choice: Choice,
  signal: AbortSignal,
  onload: (share: number) => void,
): Promise<Shot[]> {
  const shots: Shot[] = [];
  for (const stage of model.story.stages) {
    shots.push(await loadShot(model, trace, stage, choice, signal));
    onload(shots.length / model.story.stages.length);
  }
  return shots;
}

async function loadShot(
  model: ModelInfo,
  trace: TraceInfo,
  stage: Stage,
  choice: Choice,
  signal: AbortSignal,
): Promise<Shot> {
  const names = valuesOf(stage, trace, blockOf(stage, choice.block));
  const numBeats = numBeatsOf(stage, names, trace);
  const time = { numBeats, numWords: countWords(stage.explanation + stage.formula) };
  const beats = Array.from({ length: numBeats }, (_, beat) => beat);
  const tokens = trace.input.tokens ?? [];
  if (stage.picture === "tokens" && tokens.length) {
    return {
      stage,
      time,
      parts: [{ kind: "tokens", tokens, lit: beats.map((beat) => positionAt(beat, numBeats, tokens.length)) }],
    };
  }
  if (stage.picture === "sampling" && model.can_draw && !client.isSaved) {
    const drawn = await client.draw(trace.model, { trace: trace.id, ...drawSettings.current }, undefined, signal);
    return { stage, time, parts: [{ kind: "candidates", candidates: drawn.candidates ?? [], drawn: drawn.drawn }] };
  }
  // A whole table of weights says little in a film: what is made of it is shown.
  const shown = names.filter(
    (name) => trace.values[name]!.kind !== "embedding_table" && trace.values[name]!.kind !== "tokens",
  );
  const parts = await Promise.all(
    (shown.length ? shown : names)
      .slice(-MOST_PARTS)
      .map((name) => loadPart(model, trace, stage, name, choice.head, beats, signal)),
  );
  return { stage, time, parts };
}

async function loadPart(
  model: ModelInfo,
  trace: TraceInfo,
  stage: Stage,
  name: string,
  head: number,
  beats: readonly number[],
  signal: AbortSignal,
): Promise<Part> {
  const info = trace.values[name]!;
  const indices = beats.map((beat) => indexAt(trace, info, head, beat, beats.length));
  const isLogits = info.kind === "logits" || (stage.picture === "bars" && stage.values[0] === name);
  if (isLogits && info.shape.length) return loadBars(trace, name, indices, signal);
  if (info.kind === "feature_maps") return loadMaps(trace, name, info, indices, signal);
  if (info.kind === "series" && info.shape.length === 3) return loadLines(trace, name, info, indices, signal);
  return loadPlanePart(model, trace, name, info, indices, signal);
}

async function loadBars(
  trace: TraceInfo,
  name: string,
  indices: readonly number[][],
  signal: AbortSignal,
): Promise<BarsPart> {
  const axis = trace.values[name]!.shape.length - 1;
  const entries = await Promise.all(indices.map((at) => client.top(trace.id, name, at, axis, NUM_BARS, signal)));
  return { kind: "bars", name, entries };
}

async function loadMaps(
  trace: TraceInfo,
  name: string,
  info: ValueInfo,
  indices: readonly number[][],
  signal: AbortSignal,
): Promise<MapsPart> {
  const channelAxis = info.shape.length - 1;
  const channels = [...new Set(indices.map((index) => index[channelAxis]!))].slice(0, MOST_MAPS);
  const planes = await Promise.all(
    channels.map((channel) => {
      const at = info.shape.map((_, axis) => (axis === channelAxis ? channel : 0));
      return loadPlane(planeKey(trace.id, { name, at, rows: channelAxis - 2, cols: channelAxis - 1 }), signal);
    }),
  );
  const tiles = await Promise.all(planes.map((plane) => plane.load(plane.info.num_levels - 1, 0, 0)));
  const least = Math.min(...planes.map(({ info }) => info.min ?? 0));
  const largest = Math.max(...planes.map(({ info }) => info.max ?? 0));
  return {
    kind: "maps",
    name,
    maps: channels.map((channel, i) => ({ channel, tile: tiles[i]! })),
    scale: scaleFor({ min: least, max: largest }),
    lit: indices.map((index) => channels.indexOf(index[channelAxis]!)),
  };
}

async function loadLines(
  trace: TraceInfo,
  name: string,
  info: ValueInfo,
  indices: readonly number[][],
  signal: AbortSignal,
): Promise<LinesPart> {
  const time = walkAxis(info) ?? 1;
  const feature = info.shape.length - 1;
  const count = Math.min(MOST_LINES, info.shape[feature]!);
  const lines = await Promise.all(
    Array.from({ length: count }, (_, one) => {
      const at = info.shape.map((_, axis) => (axis === feature ? one : 0));
      return client.series(trace.id, name, at, time, signal);
    }),
  );
  return { kind: "lines", name, lines, lit: indices.map((index) => index[time]!) };
}

/** A plane of few rows number by number; a larger one as the mean of small squares. */
async function readWhole(plane: RemotePlane): Promise<{ tile: Tile; level: number }> {
  const { num_rows, num_cols, num_levels } = plane.info;
  const isFlat = num_rows <= TILE && num_cols <= MOST_TILES * TILE;
  if (!isFlat) return { tile: await plane.load(num_levels - 1, 0, 0), level: num_levels - 1 };
  const tiles = await Promise.all(
    Array.from({ length: Math.ceil(num_cols / TILE) }, (_, col) => plane.load(0, 0, col)),
  );
  if (tiles.length === 1) return { tile: tiles[0]!, level: 0 };
  const whole = new Float32Array(num_rows * num_cols);
  tiles.forEach((tile, col) => {
    for (let row = 0; row < num_rows; row++) {
      whole.set(tile.mean.subarray(row * tile.width, (row + 1) * tile.width), row * num_cols + col * TILE);
    }
  });
  return { tile: { width: num_cols, height: num_rows, mean: whole, min: whole, max: whole }, level: 0 };
}

async function loadPlanePart(
  model: ModelInfo,
  trace: TraceInfo,
  name: string,
  info: ValueInfo,
  indices: readonly number[][],
  signal: AbortSignal,
): Promise<PlanePart> {
  const { rows, cols } = planeOfStage(info);
  const plane = await loadPlane(planeKey(trace.id, { name, at: indices[0] ?? [], rows, cols }), signal);
  const { tile, level } = await readWhole(plane);
  const labelOf = info.shape.length > 1 && level === 0 ? axisLabels(trace, model.input, info, rows) : null;
  const walk = walkAxis(info);
  const lit =
    info.shape.length > 1 && (walk === rows || walk === cols)
      ? indices.map((index) => ({
          axis: walk === rows ? ("row" as const) : ("col" as const),
          at: index[walk]! >> level,
        }))
      : info.shape.length === 1
        ? indices.map((index) => ({ axis: "col" as const, at: index[0]! >> level }))
        : [];
  return {
    kind: "plane",
    name,
    tile,
    scale: scaleFor(plane.info),
    rowLabels: labelOf ? Array.from({ length: tile.height }, (_, row) => labelOf(row)) : null,
    lit,
  };
}
