// Draws what is seen of a plane on a canvas: tiles as pictures, numbers in large cells, labels, marks.
import { inkOn, paletteOf } from "../colour/palette";
import { colourIndex, type ColourScale } from "../colour/scale";
import type { Cell } from "../grid/moves";
import { tiny } from "../numbers/numbers";
import { levelFor, NUMBER_CELL, STROKE_CELL, visibleTiles, type TilePlace } from "./geometry";
import { paintNumbers, type CellStatistic } from "./paint";
import { numberAt, type PlaneSource } from "./plane";

export interface Colours {
  ink: string;
  soft: string;
  /** Ground of the canvas, of what has not come yet, and of numbers that are not finite. */
  paper: string;
  waiting: string;
  nonfinite: string;
  mark: string;
  font: string;
}

export interface Frame {
  /** Size of the canvas and its gutters for labels, offset of the scroller: CSS pixels. */
  width: number;
  height: number;
  gutterLeft: number;
  gutterTop: number;
  left: number;
  top: number;
  ratio: number;
  cell: number;
  scale: ColourScale;
  statistic: CellStatistic;
  isDark: boolean;
  colours: Colours;
  rowLabel: (row: number) => string;
  colLabel: (col: number) => string;
  marks: readonly Cell[];
}

const MOST_PICTURES = 96;

export class MatrixRenderer {
  readonly #pictures = new Map<string, HTMLCanvasElement>();

  constructor(private readonly source: PlaneSource) {}

  paint(context: CanvasRenderingContext2D, frame: Frame): void {
    const { width, height, ratio, gutterLeft, gutterTop, colours } = frame;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = colours.paper;
    context.fillRect(0, 0, width, height);
    context.save();
    context.beginPath();
    context.rect(gutterLeft, gutterTop, width - gutterLeft, height - gutterTop);
    context.clip();
    context.imageSmoothingEnabled = false;
    context.translate(gutterLeft - frame.left, gutterTop - frame.top);
    this.#paintTiles(context, frame);
    this.#paintSigns(context, frame);
    this.#paintMarks(context, frame);
    context.restore();
    this.#paintLabels(context, frame);
  }

  #paintTiles(context: CanvasRenderingContext2D, frame: Frame): void {
    const { cell, colours, scale, isDark, statistic } = frame;
    const { num_rows: numRows, num_cols: numCols, num_levels } = this.source.info;
    const level = levelFor(cell, frame.ratio, num_levels);
    for (const place of visibleTiles(this.#viewport(frame), cell, level, { numRows, numCols })) {
      const tile = this.source.tile(place.level, place.row, place.col);
      const edge = 2 ** level * cell;
      const [x, y] = [place.firstCol * cell, place.firstRow * cell];
      context.fillStyle = tile ? colours.nonfinite : colours.waiting;
      context.fillRect(x, y, place.numCols * cell, place.numRows * cell);
      if (!tile) continue;
      const numbers = statistic === "mean" ? tile.mean : statistic === "min" ? tile.min : tile.max;
      const picture = this.#picture(place, numbers, tile.width, tile.height, scale, isDark, statistic);
      context.drawImage(picture, x, y, tile.width * edge, tile.height * edge);
    }
  }

  #picture(
    place: TilePlace,
    numbers: Float32Array,
    width: number,
    height: number,
    scale: ColourScale,
    isDark: boolean,
    statistic: CellStatistic,
  ): HTMLCanvasElement {
    const { palette, low, centre, high } = scale;
    const key = [place.level, place.row, place.col, palette, low, centre, high, isDark, statistic].join(" ");
    let picture = this.#pictures.get(key);
    if (!picture) {
      picture = paintNumbers(numbers, width, height, scale, isDark);
      this.#pictures.set(key, picture);
      if (this.#pictures.size > MOST_PICTURES) this.#pictures.delete(this.#pictures.keys().next().value!);
    }
    return picture;
  }

  /** Numbers in large cells; a minus stroke in smaller ones, so that the sign needs no colour. */
  #paintSigns(context: CanvasRenderingContext2D, frame: Frame): void {
    const { cell, scale } = frame;
    const hasNumbers = cell >= NUMBER_CELL;
    if (!hasNumbers && (cell < STROKE_CELL || scale.palette !== "signed")) return;
    const palette = paletteOf(scale.palette, frame.isDark);
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = `${Math.min(15, cell * 0.3)}px ${frame.colours.font}`;
    for (const { row, col } of this.#visibleCells(frame)) {
      const number = numberAt(this.source, row, col);
      if (number === undefined) continue;
      const place = colourIndex(number, scale);
      const ink = place < 0 ? frame.colours.ink : inkOn(palette[place]!);
      const [x, y] = [(col + 0.5) * cell, (row + 0.5) * cell];
      context.fillStyle = ink;
      if (hasNumbers) context.fillText(tiny(number), x, y, cell - 4);
      else if (number < 0) {
        context.globalAlpha = 0.45;
        context.fillRect(x - cell * 0.2, y - 0.5, cell * 0.4, 1);
        context.globalAlpha = 1;
      }
    }
  }

  #paintMarks(context: CanvasRenderingContext2D, { marks, cell, colours }: Frame): void {
    const size = Math.max(cell, 6);
    for (const { row, col } of marks) {
      const [x, y] = [(col + 0.5) * cell - size / 2, (row + 0.5) * cell - size / 2];
      context.lineWidth = 4;
      context.strokeStyle = colours.paper;
      context.strokeRect(x, y, size, size);
      context.lineWidth = 2;
      context.strokeStyle = colours.mark;
      context.strokeRect(x, y, size, size);
    }
  }

  #paintLabels(context: CanvasRenderingContext2D, frame: Frame): void {
    const { cell, gutterLeft, gutterTop, colours } = frame;
    context.fillStyle = colours.soft;
    context.font = `12px ${colours.font}`;
    context.textBaseline = "middle";
    const { rows, cols } = this.#visibleRange(frame);
    const every = step(cell);
    context.save();
    context.beginPath();
    // A little beyond the border: the label of the first row stands in the middle of it.
    context.rect(0, gutterTop - 7, gutterLeft, frame.height - gutterTop + 7);
    context.clip();
    context.textAlign = "right";
    for (let row = Math.ceil(rows[0] / every) * every; row < rows[1]; row += every) {
      const y = gutterTop - frame.top + (row + 0.5) * cell;
      // Of a row that is scrolled half away, a half label would read as another number.
      if (y < gutterTop - 1) continue;
      context.fillText(frame.rowLabel(row), gutterLeft - 5, y, gutterLeft - 7);
    }
    context.restore();
    context.save();
    context.beginPath();
    context.rect(gutterLeft - 7, 0, frame.width - gutterLeft + 7, gutterTop);
    context.clip();
    for (let col = Math.ceil(cols[0] / every) * every; col < cols[1]; col += every) {
      const x = gutterLeft - frame.left + (col + 0.5) * cell;
      const text = frame.colLabel(col);
      context.save();
      context.translate(x, gutterTop - 5);
      if (context.measureText(text).width > every * cell - 2) {
        context.rotate(-Math.PI / 2);
        context.textAlign = "left";
        context.fillText(text, 0, 0, gutterTop - 7);
      } else {
        context.textAlign = "center";
        context.textBaseline = "bottom";
        context.fillText(text, 0, 1);
      }
      context.restore();
    }
    context.restore();
  }

  #viewport({ left, top, width, height, gutterLeft, gutterTop }: Frame) {
    return { left, top, width: width - gutterLeft, height: height - gutterTop };
  }

  #visibleRange(frame: Frame): { rows: [number, number]; cols: [number, number] } {
    const { left, top, width, height } = this.#viewport(frame);
    const { num_rows, num_cols } = this.source.info;
    const range = (start: number, length: number, count: number): [number, number] => [
      Math.max(0, Math.floor(start / frame.cell)),
      Math.min(count, Math.ceil((start + length) / frame.cell)),
    ];
    return { rows: range(top, height, num_rows), cols: range(left, width, num_cols) };
  }

  *#visibleCells(frame: Frame): Generator<Cell> {
    const { rows, cols } = this.#visibleRange(frame);
    for (let row = rows[0]; row < rows[1]; row++) for (let col = cols[0]; col < cols[1]; col++) yield { row, col };
  }
}

/** Labels at every 1st, 2nd, 5th, 10th … cell, so that they have 14 pixels each. */
function step(cell: number): number {
  for (let power = 1; ; power *= 10) {
    for (const factor of [1, 2, 5]) if (factor * power * cell >= 14) return factor * power;
  }
}
