// Everything that passes between the page and the server. See docs/page-protocol.md.

export interface State {
  version: string;
  models: ModelInfo[];
  /** Whether this page is a file without a server: nothing new can be traced. */
  isSaved?: boolean;
}

export interface ModelInfo {
  id: string;
  /** The run's or the model's name. */
  title: string;
  kind: "run" | "file" | "model";
  recipe: string | null;
  num_parameters: number;
  input: InputSpec;
  /** Whether a training step can be shown: a loss and an optimizer are known. */
  can_step: boolean;
  /** Whether api/models/{id}/run answers. */
  has_run: boolean;
  has_examples: boolean;
  /** Whether api/models/{id}/lenses answers. */
  has_lenses: boolean;
  /** Whether api/models/{id}/draws answers: a text model with a tokenizer. */
  can_draw: boolean;
  /** Saved weights besides the model's own, for comparing and the scrubber; in the order of steps. */
  checkpoints: Checkpoint[];
  story: Story;
}

export interface Checkpoint {
  id: string;
  label: string;
  step: number;
}

export type InputSpec =
  | {
      kind: "text";
      example: string;
      max_tokens: number;
      /** What a step may be taken towards: a token, one of `classes`, or numbers as `targets`. */
      target: "next_token" | "class" | "values" | "none";
      classes: string[] | null;
      targets: ArraySpec[] | null;
    }
  | {
      /** A row of named columns, or lines of a table, as a person types them. */
      kind: "line";
      text: string;
      /** What is expected. */
      hint: string;
      /** Of a row, for a form; empty where lines are pasted. */
      fields: LineField[];
      /** Names along the last axis of the input. */
      columns: string[] | null;
      targets: ArraySpec[] | null;
    }
  | {
      kind: "image";
      height: number;
      width: number;
      channels: number;
      /** Names of the settings of preprocessing and their values, such as {invert: "auto", scale: "0…1"}. */
      settings: PreprocessingSetting[];
      classes: string[] | null;
    }
  | { kind: "arrays"; inputs: ArraySpec[]; targets: ArraySpec[] | null };

export interface LineField {
  name: string;
  /** The known values of a category; null for numbers, dates and texts. */
  choices: string[] | null;
  /** What stands for it where it is left out. */
  typical: string;
}

export interface PreprocessingSetting {
  name: string;
  values: string[];
  value: string;
}

export interface ArraySpec {
  name: string;
  /** Without the batch axis; null where any length will do. */
  shape: (number | null)[];
  dtype: string;
  /** What the last axis holds, where known (columns of a table, series). */
  columns: string[] | null;
  /** An example, nested lists in the given shape. */
  example: unknown;
}

export interface TraceRequest {
  input: ModelInput;
  mode: "forward" | "training" | "step";
  /** For "step": a token's text, a class, or nested lists; the example's own target when left out. */
  target?: unknown;
  edits?: Edit[];
  checkpoint?: string;
  /** Id of a trace of mode "step": run with the weights that this step left. */
  weights_after?: string;
}

export type ModelInput =
  | { kind: "text"; text: string }
  | { kind: "line"; text: string }
  /** A picture as a data address (PNG, JPEG, WebP, GIF), with chosen settings. */
  | { kind: "image"; picture: string; settings: Record<string, string> }
  /** Nested lists by input name, without the batch axis. */
  | { kind: "arrays"; arrays: Record<string, unknown> }
  | { kind: "example"; id: string };

/** One element of an input or a weight replaced. */
export interface Edit {
  name: string;
  index: number[];
  value: number;
}

export interface DrawRequest {
  trace: string;
  /** Position whose next token is drawn; the last one when left out. */
  position?: number;
  temperature: number;
  top_k: number;
  top_p: number;
  seed: number;
}

export interface Progress {
  /** "reading" | "compiling" | "running" | "naming" */
  stage: string;
  /** For a person. */
  message: string;
  elapsed_s: number;
}

export interface TraceInfo {
  id: string;
  model: string;
  mode: "forward" | "training" | "step" | "draw";
  input: InputPreview;
  outline: OutlineNode;
  /** All values by name, in the order of computation. */
  values: Record<string, ValueInfo>;
  /** Names of the results, the main one first. */
  outputs: string[];
  loss: number | null;
  /** What the model says, for a person: top classes or next tokens. */
  answer: TopEntry[];
  /** A drawn token, for mode "draw"; its text is "" where the text ends. */
  drawn: { id: number; text: string; shown: string } | null;
  /** For mode "draw": the likeliest tokens after temperature, the likeliest first, and the drawn one. */
  candidates?: DrawCandidate[];
  edits: Edit[];
  checkpoint: string | null;
  first_nonfinite: { name: string; index: number[] } | null;
  duration_s: number;
}

export interface DrawCandidate {
  id: number;
  /** As it is shown. */
  text: string;
  logit: number;
  /** Softmax of all logits, before temperature and cuts. */
  before: number;
  /** Logit divided by the temperature. */
  scaled: number;
  /** The probability with which it is drawn; 0 where top-k or top-p cut it. */
  after: number;
  is_kept: boolean;
  /** Where these numbers stand in the trace of the draw. */
  subjects: Partial<Record<"logit" | "before" | "scaled" | "after", { name: string; index: number[] }>>;
}

export type ValueKind =
  | "scalar"
  | "vector"
  | "matrix"
  | "attention" // (batch, head, query, key)
  | "feature_maps" // (batch, height, width, channel)
  | "kernels" // (height, width, in, out)
  | "logits" // the last axis is a vocabulary or the classes
  | "series" // (batch, time, feature) or (time, batch, feature)
  | "tokens" // whole numbers that are tokens
  | "embedding_table"
  | "tensor";

export interface ValueInfo {
  shape: number[];
  dtype: string;
  kind: ValueKind;
  role: "input" | "weight" | "constant" | "value";
  /** What each axis stands for, "" where that is not known. */
  axes: string[];
  /** Labels along an axis: "tokens" (the input's tokens), "vocabulary", "classes", "columns", "rows" (of a window), "ranked" (tokens by rank, in a draw) or "". */
  labels: string[];
  /** Names of the scratch code that explains it, the nearest first: the operation's, then the layer's. */
  scratch: string[];
}

/** A class of `openbook.scratch` as it stands in its file: `forward` directly above `backward`. */
export interface ScratchCode {
  says: string;
  module: string;
  /** The class, then what it takes from one that it shares with others. */
  parts: { title: string; text: string }[];
}

export interface OutlineNode {
  kind: "program" | "phase" | "block" | "layer" | "operation" | "step";
  label: string;
  path: string;
  names: string[];
  shapes: number[][];
  formula?: string;
  num_times?: number;
  children?: OutlineNode[];
}

export interface InputPreview {
  kind: "text" | "line" | "image" | "arrays";
  text?: string;
  tokens?: Token[];
  /** Of the rows of a window, such as their times. */
  row_names?: string[];
  /** Preprocessing of a picture, one picture a step (PNG data address) with what was done. */
  steps?: { title: string; explanation: string; picture: string; height: number; width: number }[];
  /** Where the input was cut or changed to fit. */
  notes: string[];
  target?: string | null;
}

export interface Token {
  id: number;
  text: string;
  /** Shown instead of text that cannot be seen: "·", "↵", "<end of text>". */
  shown: string;
}

export interface Summary {
  name: string;
  min: number | null;
  max: number | null;
  mean: number | null;
  std: number | null;
  num_nonfinite: number;
  /** Counts of 16 equal parts from min to max. */
  histogram: number[];
}

export interface Plane {
  num_rows: number;
  num_cols: number;
  /** Of the finite elements of this plane. */
  min: number | null;
  max: number | null;
  mean: number | null;
  std: number | null;
  num_nonfinite: number;
  num_levels: number;
}

export interface TopEntry {
  index: number;
  label: string;
  value: number;
  /** Where the line is logits: its softmax. */
  probability: number | null;
}

export interface Neighbours {
  row: number;
  entries: { row: number; label: string; similarity: number; x: number; y: number }[];
}

export interface Explanation {
  name: string;
  index: number[];
  /** null where it is not finite; see value_text. */
  value: number | null;
  value_text: string;
  kind: "sum" | "formula" | "selection" | "given" | "input" | "weight" | "constant" | "unknown";
  formula: string;
  textbook: string;
  /** Layer path of the step. */
  path: string;
  terms: Term[];
  remainder: number;
  remainder_text: string;
  num_terms: number;
  /** The formula computed once more in NumPy, and how far it is from the value, relative. */
  evaluated_text: string;
  difference: number | null;
  is_leaf: boolean;
  /** What the place means in the reader's own input: a token, a pixel, a cell; null elsewhere. */
  meaning: string | null;
}

export interface Term {
  contribution: number | null;
  contribution_text: string;
  coefficient: number;
  operands: { name: string; index: number[]; value: number | null; value_text: string; meaning: string | null }[];
}

export interface Comparison {
  first: string;
  second: string;
  values: { name: string; shape: number[]; relative: number | null; largest: number | null; index: number[] }[];
  /** Names that only one of them has, or in other shapes. */
  not_compared: string[];
}

export interface RunInfo {
  name: string;
  recipe: string;
  status: string;
  created: string;
  settings: Record<string, unknown>;
  settings_default: Record<string, unknown>;
  score: Record<string, number>;
  actual: Record<string, number>;
  forecast: Record<string, unknown> | null;
  machine: Record<string, unknown>;
  versions: Record<string, string>;
  data: { source: string; report: Record<string, unknown> } | null;
  metrics: Record<string, unknown>[];
  samples: { name: string; text: string }[];
}

export interface Example {
  id: string;
  text: string;
  picture?: string;
  target: string | null;
  answer: string | null;
  is_mistake: boolean;
  score: number | null;
}

/** A way to look at a model as a whole: what its filters see, where an answer comes from, which columns count. */
export interface LensInfo {
  name: string;
  title: string;
  /** What its picture shows, in one line. */
  says: string;
  /** Of what it computes. */
  source: string;
  /** Why it has nothing to show of this model; null where it has. */
  why_not: string | null;
  /** Whether it is about the input that is given above, and not about the model or the run as a whole. */
  reads_input: boolean;
  settings: LensSetting[];
}

/** One field of a lens's form; each may be left open. */
export interface LensSetting {
  name: string;
  label: string;
  kind: "choice" | "text" | "number";
  choices: string[] | null;
  /** What is taken where it is left open, in words. */
  left_open: string;
}

export interface LensRequest {
  /** Only for a lens that reads the input. */
  input?: ModelInput;
  settings: Record<string, string>;
}

/** What a lens found. */
export interface LensView {
  lens: string;
  title: string;
  says: string;
  source: string;
  /** What there is to see, in lines. */
  text: string;
  notes: string[];
  /** As PNG data addresses, each in words as well. */
  pictures: { picture: string; alt: string }[];
  tables: LensTable[];
  /** All numbers, as `openbook lens --json` gives them. */
  numbers: Record<string, unknown>;
  settings: Record<string, unknown>;
  duration_s: number;
}

/** Rows whose first cell names them; the first of very many. */
export interface LensTable {
  title: string;
  columns: string[];
  rows: (string | number | null)[][];
  num_rows: number;
  num_columns: number;
}

/** The way through a model, in five to nine stages. Data beside the recipe, or made from the outline. */
export interface Story {
  stages: Stage[];
}

export interface Stage {
  id: string;
  title: string;
  /** One sentence. */
  explanation: string;
  /** In textbook notation. */
  formula: string;
  picture: PictureKind;
  /** Names of the values shown, in the order that the picture wants them. "{block}" stands for the chosen block. */
  values: string[];
  /** Blocks to choose from where a name has "{block}". */
  blocks: string[];
}

export type PictureKind =
  | "tokens" // the input as it is split
  | "embedding" // rows of a table picked by tokens
  | "queries_and_keys" // two matrices per head
  | "attention" // arcs and matrix
  | "matrix"
  | "feature_maps"
  | "bars" // top-k of a line
  | "sampling" // temperature, top-k, top-p, the drawn token
  | "series"
  | "value"; // the view that fits the value's kind

/**
 * What a page in one file carries in window.__OPENBOOK_SAVED__ instead of a server. Planes, tiles, series, summaries and
 * the top of a line are cut from the whole values in `arrays`; everything else is an answer as the server gave it.
 */
export interface SavedPage {
  /** Answers by what follows "api/": "state", "models/reviews/run", "models/reviews/examples", "comparison?first=a&second=b". */
  answers: Record<string, unknown>;
  /** The first is shown when the page opens. */
  traces: { model: string; request: TraceRequest; info: TraceInfo }[];
  /** By trace, then by "name[0,1,2]". */
  explanations: Record<string, Record<string, Explanation>>;
  /** By trace, then by name: float32, little endian, in the order of the last axis first (C order), as base64. */
  arrays: Record<string, Record<string, string>>;
  /** Arrays that all traces share (weights, constants), by name. */
  shared: Record<string, string>;
  /** What lenses found when the page was written. */
  lenses: { model: string; lens: string; request: LensRequest; view: LensView }[];
}
