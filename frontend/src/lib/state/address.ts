// The place in the book as text for the address, and back. Pure; `place.svelte.ts` holds the current one.
import type { Edit, ModelInput } from "../api/types";

export type Theme = "auto" | "light" | "dark";
export type TraceMode = "forward" | "training" | "step";

/** One element of a value: a subject of "where does this come from?". */
export interface Subject {
  name: string;
  index: number[];
}

/** The other side of a comparison; what is left out is as in the first. */
export interface Other {
  model?: string;
  checkpoint?: string;
  text?: string;
  example?: string;
}

/** Everything that says what the reader sees. Whatever is null has its default. */
export interface Place {
  model: string | null;
  input: ModelInput | null;
  mode: TraceMode;
  target: unknown;
  edits: Edit[];
  checkpoint: string | null;
  view: string | null;
  /** The value that is looked at, and one element of it: also where its plane is cut. */
  value: string | null;
  index: number[] | null;
  /** The axes of the plane; the last two when null. */
  rows: number | null;
  cols: number | null;
  /** Which picture of the value: "matrix", "arcs", "table" …; what fits its kind when null. */
  picture: string | null;
  /** The way that led here in "where does this come from?", the first subject first. */
  walk: Subject[];
  stage: string | null;
  block: string | null;
  other: Other | null;
  /** More sentences whose pictures are shown under the first one's. */
  also: string[];
  search: string | null;
  /** The lens that is open, and what was chosen in its form. */
  lens: string | null;
  lensSettings: Record<string, string>;
  palette: string | null;
  theme: Theme;
  language: string | null;
}

export const START: Place = {
  model: null,
  input: null,
  mode: "forward",
  target: null,
  edits: [],
  checkpoint: null,
  view: null,
  value: null,
  index: null,
  rows: null,
  cols: null,
  picture: null,
  walk: [],
  stage: null,
  block: null,
  other: null,
  also: [],
  search: null,
  lens: null,
  lensSettings: {},
  palette: null,
  theme: "auto",
  language: null,
};

/** A longer picture stays out of the address, which would be too long to send. */
const LONGEST_PICTURE = 100_000;

const MODES: readonly string[] = ["forward", "training", "step"];
const THEMES: readonly string[] = ["auto", "light", "dark"];
const TEXT_FIELDS = [
  "model",
  "checkpoint",
  "view",
  "value",
  "picture",
  "stage",
  "block",
  "search",
  "lens",
  "palette",
] as const;

/** "block_1/attention/weights[0,1,3,2]" */
export function subjectText({ name, index }: Subject): string {
  return `${name}[${index.join(",")}]`;
}

/** Where in a value, to read; a single number has no place. */
export function placeText(index: readonly number[]): string {
  return index.length ? `[${index.join(", ")}]` : "";
}

export function parseSubject(text: string): Subject | null {
  const match = /^(.+)\[([\d,]*)\]$/s.exec(text);
  const index = match && parseNumbers(match[2]!);
  return match && index ? { name: match[1]!, index } : null;
}

/** The place as what follows "#"; empty where all is default. */
export function writeAddress(place: Place): string {
  const to = new URLSearchParams();
  const set = (name: string, value: string | number | null) => value !== null && to.append(name, String(value));
  for (const field of TEXT_FIELDS) set(field === "picture" ? "show" : field, place[field]);
  if (place.input) writeInput(to, place.input);
  if (place.mode !== "forward") set("mode", place.mode);
  if (place.target !== null) set("target", JSON.stringify(place.target));
  for (const edit of place.edits) to.append("edit", `${subjectText(edit)}=${edit.value}`);
  if (place.index) set("index", place.index.join(","));
  set("rows", place.rows);
  set("cols", place.cols);
  for (const subject of place.walk) to.append("walk", subjectText(subject));
  for (const [name, value] of Object.entries(place.other ?? {})) set(`other.${name}`, value ?? null);
  if (place.other && Object.keys(place.other).length === 0) set("other", "same");
  for (const text of place.also) to.append("also", text);
  for (const [name, value] of Object.entries(place.lensSettings)) set(`lens.${name}`, value);
  if (place.theme !== "auto") set("theme", place.theme);
  set("language", place.language);
  // Slashes and commas may stand in a fragment: the address stays readable.
  return to.toString().replaceAll("%2F", "/").replaceAll("%2C", ",").replaceAll("%5B", "[").replaceAll("%5D", "]");
}

/** The place that an address tells; what cannot be read is left at its default. */
export function readAddress(fragment: string): Place {
  const from = new URLSearchParams(fragment.replace(/^#/, ""));
  const place: Place = { ...START };
  for (const field of TEXT_FIELDS) place[field] = from.get(field === "picture" ? "show" : field);
  place.input = readInput(from);
  const mode = from.get("mode");
  if (mode && MODES.includes(mode)) place.mode = mode as TraceMode;
  place.target = parseJson(from.get("target"));
  place.edits = from.getAll("edit").flatMap((text) => parseEdit(text) ?? []);
  place.index = parseNumbers(from.get("index"));
  place.rows = parseNumbers(from.get("rows"))?.[0] ?? null;
  place.cols = parseNumbers(from.get("cols"))?.[0] ?? null;
  place.walk = from.getAll("walk").flatMap((text) => parseSubject(text) ?? []);
  place.other = readOther(from);
  place.also = from.getAll("also");
  place.lensSettings = readUnder("lens.", from);
  const theme = from.get("theme");
  if (theme && THEMES.includes(theme)) place.theme = theme as Theme;
  place.language = from.get("language");
  return place;
}

function writeInput(to: URLSearchParams, input: ModelInput): void {
  if (input.kind === "text") to.append("text", input.text);
  else if (input.kind === "line") to.append("line", input.text);
  else if (input.kind === "example") to.append("example", input.id);
  else if (input.kind === "arrays") to.append("arrays", JSON.stringify(input.arrays));
  else {
    if (input.picture.length > LONGEST_PICTURE) return;
    to.append("drawing", input.picture);
    for (const [name, value] of Object.entries(input.settings)) to.append(`setting.${name}`, value);
  }
}

function readInput(from: URLSearchParams): ModelInput | null {
  const text = from.get("text");
  if (text !== null) return { kind: "text", text };
  const line = from.get("line");
  if (line !== null) return { kind: "line", text: line };
  const id = from.get("example");
  if (id !== null) return { kind: "example", id };
  const picture = from.get("drawing");
  if (picture?.startsWith("data:image/")) {
    return { kind: "image", picture, settings: readUnder("setting.", from) };
  }
  const arrays = parseJson(from.get("arrays"));
  if (arrays && typeof arrays === "object") return { kind: "arrays", arrays: arrays as Record<string, unknown> };
  return null;
}

/** The fields whose names begin so, by what follows. */
function readUnder(prefix: string, from: URLSearchParams): Record<string, string> {
  const entries = [...from].filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}

function readOther(from: URLSearchParams): Other | null {
  const other: Other = {};
  for (const name of ["model", "checkpoint", "text", "example"] as const) {
    const value = from.get(`other.${name}`);
    if (value !== null) other[name] = value;
  }
  return Object.keys(other).length > 0 || from.has("other") ? other : null;
}

function parseEdit(text: string): Edit | null {
  const equals = text.lastIndexOf("=");
  const subject = parseSubject(text.slice(0, equals));
  const value = Number(text.slice(equals + 1));
  return subject && equals > 0 && Number.isFinite(value) ? { ...subject, value } : null;
}

function parseNumbers(text: string | null): number[] | null {
  if (text === null) return null;
  if (text === "") return [];
  const numbers = text.split(",").map(Number);
  return numbers.every((number) => Number.isInteger(number) && number >= 0) ? numbers : null;
}

function parseJson(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
