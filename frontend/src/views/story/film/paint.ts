// One frame of the film: title, sentence, picture, formula, on one canvas of 1280 × 720 units.
import { css, paletteOf } from "../../../lib/colour/palette";
import { t } from "../../../lib/messages/messages";
import { percent, short } from "../../../lib/numbers/numbers";
import { paintNumbers } from "../../../lib/planes/paint";
import { parseFormula } from "../../../lib/values/formula";
import { visibleText } from "../../../lib/values/visible";
import type { Part, Shot } from "./shots";

export const [FILM_WIDTH, FILM_HEIGHT] = [1280, 720];

export interface FilmStyle {
  isDark: boolean;
  serif: string;
  paper: string;
  raised: string;
  ink: string;
  soft: string;
  rule: string;
  mark: string;
  markSoft: string;
  positive: string;
  negative: string;
}

export interface Frame {
  shot: Shot;
  beat: number;
  number: number;
  of: number;
  /** A line at the foot: the model and what was given to it. */
  footer: string;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

type Context = CanvasRenderingContext2D;

/** The style of the page as it looks now. */
export function filmStyle(isDark: boolean): FilmStyle {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    isDark,
    serif: of("--serif") || "serif",
    paper: of("--paper"),
    raised: of("--paper-raised"),
    ink: of("--ink"),
    soft: of("--ink-soft"),
    rule: of("--rule-strong"),
    mark: of("--mark"),
    markSoft: of("--mark-soft"),
    positive: of("--positive"),
    negative: of("--negative"),
  };
}

export function paintFrame(context: Context, { shot, beat, number, of, footer }: Frame, style: FilmStyle): void {
  const { stage, parts } = shot;
  context.fillStyle = style.paper;
  context.fillRect(0, 0, FILM_WIDTH, FILM_HEIGHT);
  context.textBaseline = "alphabetic";
  write(context, `${number} / ${of}`, 60, 62, `22px ${style.serif}`, style.soft);
  write(context, stage.title, 60, 104, `600 40px ${style.serif}`, style.ink);
  const y = writeLines(context, stage.explanation, 60, 146, FILM_WIDTH - 120, `26px ${style.serif}`, style.ink, 34);
  const top = y + 24;
  const bottom = stage.formula ? FILM_HEIGHT - 120 : FILM_HEIGHT - 70;
  const width = (FILM_WIDTH - 120 - 40 * (parts.length - 1)) / Math.max(1, parts.length);
  parts.forEach((part, i) => {
    const box = { x: 60 + i * (width + 40), y: top, width, height: bottom - top };
    paintPart(context, part, beat, box, style);
  });
  writeFormula(context, stage.formula, 60, FILM_HEIGHT - 76, style);
  write(context, footer, 60, FILM_HEIGHT - 26, `18px ${style.serif}`, style.soft, FILM_WIDTH - 120);
}

function paintPart(context: Context, part: Part, beat: number, box: Box, style: FilmStyle): void {
  if (part.kind === "tokens") return paintTokens(context, part, beat, box, style);
  if (part.kind === "candidates") return paintCandidates(context, part, beat, box, style);
  write(context, part.name, box.x, box.y + 18, `18px ${style.serif}`, style.soft, box.width);
  const inner = { ...box, y: box.y + 30, height: box.height - 30 };
  if (part.kind === "plane") paintPlane(context, part, beat, inner, style);
  else if (part.kind === "maps") paintMaps(context, part, beat, inner, style);
  else if (part.kind === "bars") paintBars(context, part, beat, inner, style);
  else paintLines(context, part, beat, inner, style);
}

function paintTokens(
  context: Context,
  { tokens, lit }: Extract<Part, { kind: "tokens" }>,
  beat: number,
  box: Box,
  style: FilmStyle,
): void {
  let [x, y] = [box.x, box.y + 10];
  for (const [position, token] of tokens.entries()) {
    context.font = `28px ${style.serif}`;
    const text = token.shown || visibleText(token.text);
    const width = Math.max(56, context.measureText(text).width + 24);
    if (x + width > box.x + box.width) [x, y] = [box.x, y + 92];
    if (y + 80 > box.y + box.height) return;
    const isLit = position === lit[beat];
    context.fillStyle = isLit ? style.markSoft : style.raised;
    context.strokeStyle = isLit ? style.mark : style.rule;
    context.lineWidth = isLit ? 3 : 1;
    context.beginPath();
    context.roundRect(x, y, width, 44, 5);
    context.fill();
    context.stroke();
    write(context, text, x + 12, y + 31, `28px ${style.serif}`, style.ink);
    write(context, String(token.id), x + 12, y + 70, `20px ${style.serif}`, isLit ? style.mark : style.soft);
    x += width + 12;
  }
}

function paintPlane(
  context: Context,
  part: Extract<Part, { kind: "plane" }>,
  beat: number,
  box: Box,
  style: FilmStyle,
): void {
  const { tile, scale, rowLabels, lit } = part;
  const labelled = rowLabels && box.height / tile.height >= 12 ? rowLabels : null;
  context.font = `${Math.min(20, box.height / tile.height - 2)}px ${style.serif}`;
  const side = labelled
    ? Math.min(box.width * 0.3, Math.max(...labelled.map((text) => context.measureText(text).width)) + 12)
    : 0;
  // Square cells where there is room; long planes fill their box.
  const cell = Math.min((box.width - side) / tile.width, box.height / tile.height);
  const isSquare = tile.width / tile.height < 4 && tile.height > 1;
  const cellWidth = isSquare ? cell : (box.width - side) / tile.width;
  const cellHeight = isSquare ? cell : Math.min(box.height / tile.height, 48);
  const [width, height] = [cellWidth * tile.width, cellHeight * tile.height];
  const left = box.x + side;
  context.imageSmoothingEnabled = false;
  context.drawImage(paintNumbers(tile.mean, tile.width, tile.height, scale, style.isDark), left, box.y, width, height);
  context.strokeStyle = style.rule;
  context.lineWidth = 1;
  context.strokeRect(left, box.y, width, height);
  const now = lit[beat];
  labelled?.forEach((text, row) => {
    const isLit = now?.axis === "row" && now.at === row;
    const size = Math.min(20, cellHeight - 2);
    write(
      context,
      text,
      box.x,
      box.y + (row + 0.5) * cellHeight + size / 3,
      `${isLit ? "600 " : ""}${size}px ${style.serif}`,
      isLit ? style.mark : style.soft,
      side - 8,
    );
  });
  if (!now) return;
  context.strokeStyle = style.mark;
  context.lineWidth = 3;
  if (now.axis === "row") context.strokeRect(left, box.y + now.at * cellHeight, width, cellHeight);
  else context.strokeRect(left + now.at * cellWidth, box.y, cellWidth, height);
}

function paintMaps(
  context: Context,
  part: Extract<Part, { kind: "maps" }>,
  beat: number,
  box: Box,
  style: FilmStyle,
): void {
  const { maps, scale, lit } = part;
  const columns = Math.ceil(Math.sqrt((maps.length * box.width) / box.height));
  const rows = Math.ceil(maps.length / columns);
  const edge = Math.min(box.width / columns, box.height / rows) - 10;
  context.imageSmoothingEnabled = false;
  maps.forEach(({ tile }, i) => {
    const [x, y] = [box.x + (i % columns) * (edge + 10), box.y + Math.floor(i / columns) * (edge + 10)];
    context.drawImage(paintNumbers(tile.mean, tile.width, tile.height, scale, style.isDark), x, y, edge, edge);
    context.strokeStyle = i === lit[beat] ? style.mark : style.rule;
    context.lineWidth = i === lit[beat] ? 4 : 1;
    context.strokeRect(x, y, edge, edge);
  });
}

function paintBars(
  context: Context,
  part: Extract<Part, { kind: "bars" }>,
  beat: number,
  box: Box,
  style: FilmStyle,
): void {
  const entries = part.entries[Math.min(beat, part.entries.length - 1)] ?? [];
  const amount = ({ probability, value }: (typeof entries)[number]) => probability ?? value;
  const largest = Math.max(...entries.map((entry) => Math.abs(amount(entry))), Number.MIN_VALUE);
  const line = Math.min(44, box.height / Math.max(1, entries.length));
  entries.forEach((entry, i) => {
    const y = box.y + i * line;
    const width = (Math.abs(amount(entry)) / largest) * (box.width - 330);
    write(
      context,
      visibleText(entry.label) || String(entry.index),
      box.x,
      y + line * 0.7,
      `24px ${style.serif}`,
      style.ink,
      180,
    );
    context.fillStyle = amount(entry) < 0 ? style.negative : style.positive;
    context.fillRect(box.x + 200, y + line * 0.2, width, line * 0.6);
    const text = entry.probability === null ? short(entry.value, 4) : percent(entry.probability);
    write(context, text, box.x + 212 + width, y + line * 0.7, `22px ${style.serif}`, style.soft);
  });
}

function paintCandidates(
  context: Context,
  part: Extract<Part, { kind: "candidates" }>,
  beat: number,
  box: Box,
  style: FilmStyle,
): void {
  const shown = part.candidates.slice(0, 9);
  const largest = Math.max(...shown.flatMap(({ before, after }) => [before, after]), Number.MIN_VALUE);
  const line = Math.min(44, box.height / Math.max(1, shown.length));
  const reach = box.width - 520;
  shown.forEach((one, i) => {
    const y = box.y + i * line;
    const isDrawn = beat > 1 && one.id === part.drawn?.id;
    if (isDrawn) {
      context.fillStyle = style.markSoft;
      context.fillRect(box.x - 12, y, box.width + 12, line);
    }
    write(
      context,
      visibleText(one.text),
      box.x,
      y + line * 0.7,
      `${isDrawn ? "600 " : ""}24px ${style.serif}`,
      style.ink,
      190,
    );
    context.strokeStyle = style.negative;
    context.lineWidth = 2;
    context.strokeRect(box.x + 210, y + line * 0.16, (reach * one.before) / largest, line * 0.3);
    context.fillStyle = style.positive;
    if (beat > 0) context.fillRect(box.x + 210, y + line * 0.52, (reach * one.after) / largest, line * 0.3);
    const after = one.is_kept ? percent(one.after) : t("story.cut");
    write(
      context,
      beat > 0 ? `${percent(one.before)} → ${after}` : percent(one.before),
      box.x + box.width - 290,
      y + line * 0.7,
      `22px ${style.serif}`,
      style.soft,
    );
  });
}

function paintLines(
  context: Context,
  part: Extract<Part, { kind: "lines" }>,
  beat: number,
  box: Box,
  style: FilmStyle,
): void {
  const finite = part.lines.flatMap((line) => [...line].filter(Number.isFinite));
  const [least, largest] = [Math.min(...finite), Math.max(...finite)];
  const length = part.lines[0]?.length ?? 0;
  const xOf = (at: number) => box.x + (box.width * at) / Math.max(1, length - 1);
  const yOf = (value: number) => box.y + box.height * (1 - (value - least) / (largest - least || 1));
  const palette = paletteOf("plain", style.isDark);
  part.lines.forEach((line, i) => {
    context.beginPath();
    line.forEach((value, at) => (at ? context.lineTo(xOf(at), yOf(value)) : context.moveTo(xOf(at), yOf(value))));
    context.strokeStyle = css(palette[255 - Math.round((i * 140) / Math.max(1, part.lines.length))]!);
    context.lineWidth = 3;
    context.setLineDash(i % 2 ? [8, 5] : []);
    context.stroke();
  });
  context.setLineDash([]);
  const x = xOf(part.lit[beat] ?? 0);
  context.strokeStyle = style.mark;
  context.beginPath();
  context.moveTo(x, box.y);
  context.lineTo(x, box.y + box.height);
  context.stroke();
}

function write(
  context: Context,
  text: string,
  x: number,
  y: number,
  font: string,
  colour: string,
  width?: number,
): void {
  context.font = font;
  context.fillStyle = colour;
  let shown = text;
  // A text that is too long ends with dots; canvas would squeeze it.
  while (width !== undefined && shown.length > 1 && context.measureText(shown).width > width) {
    shown = `${shown.replace(/…$/, "").slice(0, -1)}…`;
  }
  context.fillText(shown, x, y);
}

/** A formula with its subscripts, as on the page. */
function writeFormula(context: Context, text: string, x: number, y: number, style: FilmStyle): void {
  context.fillStyle = style.ink;
  for (const { kind, text: part } of parseFormula(text)) {
    const isSmall = kind === "sub" || kind === "sup";
    context.font = `${kind === "variable" ? "italic " : ""}${isSmall ? 20 : 28}px ${style.serif}`;
    context.fillText(part, x, y + (kind === "sub" ? 8 : kind === "sup" ? -10 : 0));
    x += context.measureText(part).width;
  }
}

/** Words in lines; returns where the last line stands. */
function writeLines(
  context: Context,
  text: string,
  x: number,
  y: number,
  width: number,
  font: string,
  colour: string,
  step: number,
): number {
  context.font = font;
  context.fillStyle = colour;
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line ? `${line} ${word}` : word;
    if (line && context.measureText(longer).width > width) {
      context.fillText(line, x, y);
      [line, y] = [word, y + step];
    } else line = longer;
  }
  context.fillText(line, x, y);
  return y;
}
