// The requests of docs/page-protocol.md as functions. All addresses are relative, so the token never appears here.
import { readEvents, type ServerEvent } from "./events";
import { savedPage, type SavedSource } from "./saved";
import type {
  Comparison,
  DrawRequest,
  Example,
  Explanation,
  InputPreview,
  LensInfo,
  LensRequest,
  LensView,
  ModelInput,
  Neighbours,
  Plane,
  Progress,
  RunInfo,
  ScratchCode,
  State,
  Summary,
  TopEntry,
  TraceInfo,
  TraceRequest,
} from "./types";
import { t } from "../messages/messages";

/** What the server (or the saved page) answered instead of data: a sentence for a person. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/** Which plane of a value: one number for each axis in `at`; those at `rows` and `cols` do not count. */
export interface PlaneAddress {
  name: string;
  at: number[];
  rows: number;
  cols: number;
}

export interface TileAddress extends PlaneAddress {
  level: number;
  row: number;
  col: number;
}

type Query = Record<string, string | number | readonly (string | number)[]>;

/** The address of a request: lists are repeated parameters, positions are joined with commas beforehand. */
export function address(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one));
  }
  const text = parameters.toString();
  return text ? `api/${path}?${text}` : `api/${path}`;
}

async function fetchChecked(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(t("error.no_server"), 0);
  }
  if (!response.ok) throw new ApiError(await errorSentence(response), response.status);
  return response;
}

async function errorSentence(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const body = JSON.parse(text) as { error?: unknown };
    if (typeof body.error === "string") return body.error;
  } catch {
    // Not JSON: the text itself is all there is.
  }
  return text.trim() || `${response.status} ${response.statusText}`;
}

export class Client {
  /** Called when something of a trace is not there: the server may have let the trace go. */
  onmissing: (() => void) | null = null;

  constructor(private readonly saved: SavedSource | null = savedPage()) {}

  /** Whether this page is a file without a server. */
  get isSaved(): boolean {
    return this.saved !== null;
  }

  /** The input that a saved page shows first. */
  firstSaved(model: string): ModelInput | null {
    return this.saved?.requests.find((one) => one.model === model)?.request.input ?? null;
  }

  /** The inputs that a saved page can show, each once. */
  savedInputs(model: string): ModelInput[] {
    const inputs = (this.saved?.requests ?? [])
      .filter((one) => one.model === model)
      .map(({ request }) => request.input);
    return [...new Map(inputs.map((input) => [JSON.stringify(input), input])).values()];
  }

  /** The names of the lenses of which a saved page holds something. */
  keptLenses(model: string): string[] {
    return this.saved?.keptLenses(model) ?? [];
  }

  private async json<T>(path: string, query: Query, signal?: AbortSignal): Promise<T> {
    if (this.saved) return this.saved.json<T>(path, query);
    const response = await this.get(path, query, signal);
    return (await response.json()) as T;
  }

  private async floats(path: string, query: Query, signal?: AbortSignal): Promise<Float32Array> {
    if (this.saved) return this.saved.floats(path, query);
    const response = await this.get(path, query, signal);
    return new Float32Array(await response.arrayBuffer());
  }

  private async get(path: string, query: Query, signal?: AbortSignal): Promise<Response> {
    try {
      return await fetchChecked(address(path, query), { signal: signal ?? null });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404 && path.startsWith("traces/")) this.onmissing?.();
      throw error;
    }
  }

  /** A POST whose answer is a stream of events, or a plain error. */
  private async *events(path: string, body: unknown, signal?: AbortSignal): AsyncGenerator<ServerEvent> {
    const response = await fetchChecked(address(path), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: signal ?? null,
    });
    yield* readEvents(response.body!);
  }

  /** Follows a stream of progress to its end. */
  private async follow<T>(
    path: string,
    body: unknown,
    onProgress?: (progress: Progress) => void,
    signal?: AbortSignal,
  ): Promise<T> {
    for await (const { event, data } of this.events(path, body, signal)) {
      if (event === "progress") onProgress?.(JSON.parse(data) as Progress);
      else if (event === "done") return JSON.parse(data) as T;
      else if (event === "failed") throw new ApiError((JSON.parse(data) as { error: string }).error, 500);
    }
    throw new ApiError(t("error.no_server"), 0);
  }

  state(signal?: AbortSignal): Promise<State> {
    return this.json("state", {}, signal);
  }

  async trace(
    model: string,
    request: TraceRequest,
    onProgress?: (progress: Progress) => void,
    signal?: AbortSignal,
  ): Promise<TraceInfo> {
    if (this.saved) return this.saved.trace(model, request);
    return this.follow(`models/${encodeURIComponent(model)}/traces`, request, onProgress, signal);
  }

  async draw(
    model: string,
    request: DrawRequest,
    onProgress?: (progress: Progress) => void,
    signal?: AbortSignal,
  ): Promise<TraceInfo> {
    if (this.saved) throw new ApiError(t("error.not_saved"), 404);
    return this.follow(`models/${encodeURIComponent(model)}/draws`, request, onProgress, signal);
  }

  async preview(model: string, input: ModelInput, signal?: AbortSignal): Promise<InputPreview> {
    if (this.saved) throw new ApiError(t("error.not_saved"), 404);
    const response = await fetchChecked(address(`models/${encodeURIComponent(model)}/preview`), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input }),
      signal: signal ?? null,
    });
    return (await response.json()) as InputPreview;
  }

  /** The lenses, those that have something to show of the model first. */
  lenses(model: string, signal?: AbortSignal): Promise<LensInfo[]> {
    return this.json(`models/${encodeURIComponent(model)}/lenses`, {}, signal);
  }

  /** What a lens finds. */
  async lens(
    model: string,
    lens: string,
    request: LensRequest,
    onProgress?: (progress: Progress) => void,
    signal?: AbortSignal,
  ): Promise<LensView> {
    if (this.saved) {
      const kept = this.saved.lens(model, lens, request);
      if (!kept) throw new ApiError(t("lenses.not_kept"), 404);
      return kept;
    }
    const path = `models/${encodeURIComponent(model)}/lenses/${encodeURIComponent(lens)}`;
    return this.follow(path, request, onProgress, signal);
  }

  examples(model: string, signal?: AbortSignal): Promise<Example[]> {
    return this.json(`models/${encodeURIComponent(model)}/examples`, {}, signal);
  }

  run(model: string, signal?: AbortSignal): Promise<RunInfo> {
    return this.json(`models/${encodeURIComponent(model)}/run`, {}, signal);
  }

  /** Events "metrics" and "run" of a run that is still training; ends when it has ended or `signal` is aborted. */
  async *runEvents(model: string, signal?: AbortSignal): AsyncGenerator<ServerEvent> {
    if (this.saved) return;
    const response = await fetchChecked(address(`models/${encodeURIComponent(model)}/run/events`), {
      signal: signal ?? null,
    });
    yield* readEvents(response.body!);
  }

  traceInfo(trace: string, signal?: AbortSignal): Promise<TraceInfo> {
    return this.json(`traces/${trace}`, {}, signal);
  }

  summaries(trace: string, names: readonly string[], signal?: AbortSignal): Promise<Summary[]> {
    return this.json(`traces/${trace}/summaries`, { name: names }, signal);
  }

  plane(trace: string, plane: PlaneAddress, signal?: AbortSignal): Promise<Plane> {
    return this.json(`traces/${trace}/plane`, planeQuery(plane), signal);
  }

  /** The body of a tile: one plane of numbers at level 0, minimum, mean and maximum one after the other above. */
  tile(trace: string, tile: TileAddress, signal?: AbortSignal): Promise<Float32Array> {
    const { level, row, col } = tile;
    return this.floats(`traces/${trace}/tile`, { ...planeQuery(tile), level, row, col }, signal);
  }

  series(
    trace: string,
    name: string,
    at: readonly number[],
    axis: number,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    return this.floats(`traces/${trace}/series`, { name, at: at.join(","), axis }, signal);
  }

  top(
    trace: string,
    name: string,
    at: readonly number[],
    axis: number,
    k: number,
    signal?: AbortSignal,
  ): Promise<TopEntry[]> {
    return this.json(`traces/${trace}/top`, { name, at: at.join(","), axis, k }, signal);
  }

  neighbours(trace: string, name: string, row: number, k: number, signal?: AbortSignal): Promise<Neighbours> {
    return this.json(`traces/${trace}/neighbours`, { name, row, k }, signal);
  }

  explanation(trace: string, name: string, index: readonly number[], signal?: AbortSignal): Promise<Explanation> {
    return this.json(`traces/${trace}/explanation`, { name, index: index.join(",") }, signal);
  }

  /** Of a saved page: the elements of a value that it can explain. */
  savedSubjects(trace: string, name: string): number[][] {
    return this.saved?.explained(trace, name) ?? [];
  }

  source(trace: string, path: string, signal?: AbortSignal): Promise<{ text: string }> {
    return this.json(`traces/${trace}/source`, { path }, signal);
  }

  /** The readable NumPy behind layers and operations, by name. */
  scratch(signal?: AbortSignal): Promise<Record<string, ScratchCode>> {
    return this.json("scratch", {}, signal);
  }

  comparison(first: string, second: string, signal?: AbortSignal): Promise<Comparison> {
    return this.json("comparison", { first, second }, signal);
  }

  /** The address of a value as a file; null in a saved page. */
  arrayAddress(trace: string, name: string): string | null {
    return this.saved ? null : address(`traces/${trace}/array.npy`, { name });
  }
}

function planeQuery({ name, at, rows, cols }: PlaneAddress): Query {
  if (at.length < 2) return { name, at: at.map(() => 0).join(",") };
  const held = at.map((position, axis) => (axis === rows || axis === cols ? 0 : position));
  return { name, at: held.join(","), rows, cols };
}

/** The one client of the page. */
export const client = new Client();
