// A drawing as strokes, so that the last one can be undone. Positions are shares of the pad's width and height.

export interface Point {
  x: number;
  y: number;
}

export type Stroke = readonly Point[];

/** Width of the pen as a share of the pad. */
export const PEN = 0.085;
/** How far an arrow key moves the pen. */
export const KEY_STEP = 0.04;

export interface Drawing {
  strokes: readonly Stroke[];
  /** Where the pen is, for the keyboard. */
  pen: Point;
  /** Whether the pen touches the paper: the arrow keys draw. */
  isDown: boolean;
}

export const EMPTY: Drawing = { strokes: [], pen: { x: 0.5, y: 0.5 }, isDown: false };

/** The pen touches the paper: a stroke begins as a dot. */
export function begin(drawing: Drawing, at: Point): Drawing {
  return { strokes: [...drawing.strokes, [at]], pen: at, isDown: true };
}

/** The pen moves; where it touches the paper, the last stroke goes on. */
export function moveTo(drawing: Drawing, at: Point): Drawing {
  if (!drawing.isDown) return { ...drawing, pen: at };
  const last = drawing.strokes.at(-1) ?? [];
  return { ...drawing, strokes: [...drawing.strokes.slice(0, -1), [...last, at]], pen: at };
}

export function lift(drawing: Drawing): Drawing {
  return { ...drawing, isDown: false };
}

export function undo(drawing: Drawing): Drawing {
  return { ...drawing, strokes: drawing.strokes.slice(0, -1), isDown: false };
}

/** What a key does on the pad; null where it means nothing here. */
export function press(drawing: Drawing, { key }: Pick<KeyboardEvent, "key">): Drawing | null {
  const { x, y } = drawing.pen;
  switch (key) {
    case "ArrowUp":
      return moveTo(drawing, inside({ x, y: y - KEY_STEP }));
    case "ArrowDown":
      return moveTo(drawing, inside({ x, y: y + KEY_STEP }));
    case "ArrowLeft":
      return moveTo(drawing, inside({ x: x - KEY_STEP, y }));
    case "ArrowRight":
      return moveTo(drawing, inside({ x: x + KEY_STEP, y }));
    case " ":
      return drawing.isDown ? lift(drawing) : begin(drawing, drawing.pen);
    case "Backspace":
      return undo(drawing);
    case "Delete":
      return { ...EMPTY, pen: drawing.pen };
    default:
      return null;
  }
}

function inside({ x, y }: Point): Point {
  return { x: Math.max(0, Math.min(1, x)), y: Math.max(0, Math.min(1, y)) };
}

/** Paint the strokes in one colour, as a felt pen would. */
export function paintStrokes(
  context: CanvasRenderingContext2D,
  strokes: readonly Stroke[],
  size: number,
  colour: string,
): void {
  context.strokeStyle = colour;
  context.lineWidth = PEN * size;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    stroke.forEach(({ x, y }, i) => (i ? context.lineTo(x * size, y * size) : context.moveTo(x * size, y * size)));
    // A dot is a stroke that ends where it begins.
    if (stroke.length === 1) context.lineTo(stroke[0]!.x * size, stroke[0]!.y * size);
    context.stroke();
  }
}
