// A page in one file: the answers come from window.__OPENBOOK_SAVED__, slices of values are cut from the whole arrays.
import { short } from "../numbers/numbers";
import { planeOf, seriesOf, strides, tileOf, type WholeValue } from "../values/slicing";
import { describePlane, summarise, topOf } from "../values/statistics";
import { t } from "../messages/messages";
import { ApiError } from "./client";
import type { Explanation, LensRequest, LensView, SavedPage, TraceInfo, TraceRequest } from "./types";

type Query = Record<string, string | number | readonly (string | number)[]>;

declare global {
  interface Window {
    __OPENBOOK_SAVED__?: SavedPage;
  }
}

/** The saved answers of this page; null where it has a server. */
export function savedPage(): SavedSource | null {
  const saved = typeof window === "undefined" ? undefined : window.__OPENBOOK_SAVED__;
  return saved ? new SavedSource(saved) : null;
}

export class SavedSource {
  private readonly decoded = new Map<string, Float32Array>();

  constructor(private readonly page: SavedPage) {}

  trace(model: string, request: TraceRequest): TraceInfo {
    const wanted = requestKey(model, request);
    const found = this.page.traces.find((trace) => requestKey(trace.model, trace.request) === wanted);
    if (!found) throw new ApiError(t("error.not_saved"), 404);
    return found.info;
  }

  /** What a lens found when the page was written; null where it was not asked. */
  lens(model: string, lens: string, request: LensRequest): LensView | null {
    const wanted = requestKey(`${model} ${lens}`, request);
    const found = this.page.lenses.find((one) => requestKey(`${one.model} ${one.lens}`, one.request) === wanted);
    return found?.view ?? null;
  }

  keptLenses(model: string): string[] {
    return this.page.lenses.filter((one) => one.model === model).map(({ lens }) => lens);
  }

  /** The requests that this page can answer, the first one to be shown first. */
  get requests(): { model: string; request: TraceRequest }[] {
    return this.page.traces;
  }

  json<T>(path: string, query: Query): T {
    const answer = this.answer(path, query);
    if (answer === undefined) throw new ApiError(t("error.not_saved"), 404);
    return answer as T;
  }

  floats(path: string, query: Query): Float32Array {
    const [, trace, what] = path.split("/") as [string, string, string];
    const value = this.value(trace, String(query.name));
    const at = positions(query.at);
    if (what === "series") return seriesOf(value, at, Number(query.axis));
    const { numbers, numRows, numCols } = planeOf(value, at, axis(query.rows), axis(query.cols));
    return tileOf(numbers, numRows, numCols, Number(query.level), Number(query.row), Number(query.col));
  }

  private answer(path: string, query: Query): unknown {
    const written = savedKey(path, query);
    if (written in this.page.answers) return this.page.answers[written];
    const [kind, trace, what] = path.split("/");
    if (kind !== "traces" || !trace) return undefined;
    if (what === undefined) return this.page.traces.find(({ info }) => info.id === trace)?.info;
    if (what === "explanation") return this.explanation(trace, String(query.name), positions(query.index));
    if (what === "summaries") {
      return (query.name as string[]).map((name) => summarise(name, this.value(trace, name).numbers));
    }
    if (what === "plane") {
      const { numbers, numRows, numCols } = planeOf(
        this.value(trace, String(query.name)),
        positions(query.at),
        axis(query.rows),
        axis(query.cols),
      );
      return describePlane(numbers, numRows, numCols);
    }
    if (what === "top") {
      const name = String(query.name);
      const info = this.info(trace);
      const line = seriesOf(this.value(trace, name), positions(query.at), Number(query.axis));
      return topOf(line, Number(query.k), info.values[name]!.kind === "logits", () => "");
    }
    return undefined;
  }

  /** As it was saved; the end of a walk, which is only a number, from the array. */
  private explanation(trace: string, name: string, index: number[]): Explanation | undefined {
    const saved = this.page.explanations[trace]?.[`${name}[${index.join(",")}]`];
    const role = this.info(trace).values[name]?.role;
    if (saved || role === undefined || role === "value") return saved;
    const { shape, numbers } = this.value(trace, name);
    const value = numbers[strides(shape).reduce((sum, step, axis) => sum + step * index[axis]!, 0)]!;
    return {
      name,
      index,
      value: Number.isFinite(value) ? value : null,
      value_text: short(value),
      kind: role,
      formula: "",
      textbook: "",
      path: "",
      terms: [],
      remainder: 0,
      remainder_text: "0",
      num_terms: 0,
      evaluated_text: short(value),
      difference: 0,
      is_leaf: true,
      meaning: null,
    };
  }

  /** Elements of a value whose explanation is here. */
  explained(trace: string, name: string): number[][] {
    const keys = Object.keys(this.page.explanations[trace] ?? {}).filter((key) => key.startsWith(`${name}[`));
    return keys.map((key) => positions(key.slice(name.length + 1, -1)));
  }

  private info(trace: string): TraceInfo {
    const found = this.page.traces.find(({ info }) => info.id === trace);
    if (!found) throw new ApiError(t("error.not_saved"), 404);
    return found.info;
  }

  private value(trace: string, name: string): WholeValue {
    const shape = this.info(trace).values[name]?.shape;
    const own = this.page.arrays[trace]?.[name];
    const text = own ?? this.page.shared[name];
    if (!shape || text === undefined) throw new ApiError(t("error.not_saved"), 404);
    const key = own === undefined ? name : `${trace} ${name}`;
    let numbers = this.decoded.get(key);
    if (!numbers) this.decoded.set(key, (numbers = decodeFloats(text)));
    return { shape, numbers };
  }
}

/** The key of an answer: the parameters in the order of the protocol's table, not percent-encoded. */
export function savedKey(path: string, query: Query): string {
  const parameters = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one: string | number) => `${name}=${one}`),
  );
  return parameters.length ? `${decodeURIComponent(path)}?${parameters.join("&")}` : decodeURIComponent(path);
}

/** Equal for requests that mean the same: fields in any order, empty ones left out. */
export function requestKey(model: string, request: TraceRequest | LensRequest): string {
  return `${model} ${canonical(request)}`;
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (Array.isArray(part) || part === null || typeof part !== "object") return part;
    const entries = Object.entries(part).filter(([key, one]) => !isEmpty(key, one));
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function isEmpty(key: string, value: unknown): boolean {
  return value === undefined || value === null || (key === "edits" && Array.isArray(value) && value.length === 0);
}

function decodeFloats(base64: string): Float32Array {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

function positions(at: Query[string] | undefined): number[] {
  return at === undefined || at === "" ? [] : String(at).split(",").map(Number);
}

function axis(value: Query[string] | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}
