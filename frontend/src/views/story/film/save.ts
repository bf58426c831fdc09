// The film as a file: a video that the browser records from a canvas, or an animated picture.
import { applyPalette, GIFEncoder, quantize } from "gifenc";
import { beatAt, durationOf, later, timeOf, type Moment } from "../clock";
import { FILM_HEIGHT, FILM_WIDTH, paintFrame, type FilmStyle } from "./paint";
import type { Shot } from "./shots";

export interface Film {
  shots: readonly Shot[];
  style: FilmStyle;
  footer: string;
}

export interface Saved {
  blob: Blob;
  extension: string;
}

const VIDEO_TYPES = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];
const [GIF_WIDTH, GIF_HEIGHT] = [800, 450];
const NUM_COLOURS = 128;

/** The kind of video that this browser can record; null where it can none. */
export function videoType(): string | null {
  if (typeof MediaRecorder === "undefined" || !("captureStream" in HTMLCanvasElement.prototype)) return null;
  return VIDEO_TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? null;
}

function paint(context: CanvasRenderingContext2D, film: Film, moment: Moment): void {
  const shot = film.shots[moment.stage]!;
  const beat = beatAt(moment.time_s, shot.time);
  paintFrame(context, { shot, beat, number: moment.stage + 1, of: film.shots.length, footer: film.footer }, film.style);
}

/** Seconds of the whole film at speed 1. */
export function lengthOf(shots: readonly Shot[]): number {
  return shots.reduce((sum, { time }) => sum + durationOf(time), 0);
}

/** Record the film as it plays on a canvas; takes as long as the film. */
export async function saveVideo(
  canvas: HTMLCanvasElement,
  film: Film,
  speed: number,
  signal: AbortSignal,
  onprogress: (share: number) => void,
): Promise<Saved> {
  const type = videoType()!;
  [canvas.width, canvas.height] = [FILM_WIDTH, FILM_HEIGHT];
  const context = canvas.getContext("2d")!;
  const times = film.shots.map(({ time }) => time);
  const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: type, videoBitsPerSecond: 4_000_000 });
  const pieces: Blob[] = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  const stopped = new Promise<void>((resolve) => (recorder.onstop = () => resolve()));
  let moment: Moment | null = { stage: 0, time_s: 0 };
  let passed_s = 0;
  paint(context, film, moment);
  recorder.start(1000);
  let last_ms = performance.now();
  while (moment && !signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 33));
    const now_ms = performance.now();
    const elapsed_s = ((now_ms - last_ms) / 1000) * speed;
    last_ms = now_ms;
    passed_s += elapsed_s;
    moment = later(moment, elapsed_s, times);
    if (moment) paint(context, film, moment);
    onprogress(Math.min(1, passed_s / lengthOf(film.shots)));
  }
  recorder.stop();
  await stopped;
  signal.throwIfAborted();
  return { blob: new Blob(pieces, { type }), extension: type.includes("mp4") ? "mp4" : "webm" };
}

/** The pixels of a stage's first and last frame: between them they have all its colours. */
function stagePixels(context: CanvasRenderingContext2D, film: Film, stage: number): Uint8ClampedArray {
  const { time } = film.shots[stage]!;
  const pixels = new Uint8ClampedArray(2 * 4 * GIF_WIDTH * GIF_HEIGHT);
  [0, time.numBeats - 1].forEach((beat, i) => {
    paint(context, film, { stage, time_s: timeOf(beat, time) + 1e-6 });
    pixels.set(context.getImageData(0, 0, GIF_WIDTH, GIF_HEIGHT).data, (i * pixels.length) / 2);
  });
  return pixels;
}

/** Every beat of the film as a frame of an animated picture. */
export async function saveGif(
  canvas: HTMLCanvasElement,
  film: Film,
  speed: number,
  signal: AbortSignal,
  onprogress: (share: number) => void,
): Promise<Saved> {
  [canvas.width, canvas.height] = [GIF_WIDTH, GIF_HEIGHT];
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.scale(GIF_WIDTH / FILM_WIDTH, GIF_HEIGHT / FILM_HEIGHT);
  const encoder = GIFEncoder();
  const numFrames = film.shots.reduce((sum, { time }) => sum + time.numBeats, 0);
  let done = 0;
  for (const [stage, { time }] of film.shots.entries()) {
    const palette = quantize(stagePixels(context, film, stage), NUM_COLOURS);
    for (let beat = 0; beat < time.numBeats; beat++) {
      const begin_s = timeOf(beat, time);
      const end_s = beat + 1 < time.numBeats ? timeOf(beat + 1, time) : durationOf(time);
      paint(context, film, { stage, time_s: begin_s + 1e-6 });
      const { data } = context.getImageData(0, 0, GIF_WIDTH, GIF_HEIGHT);
      encoder.writeFrame(applyPalette(data, palette), GIF_WIDTH, GIF_HEIGHT, {
        palette,
        delay: (1000 * (end_s - begin_s)) / speed,
      });
      onprogress(++done / numFrames);
      // The page stays usable, and can cancel.
      await new Promise((resolve) => setTimeout(resolve));
      signal.throwIfAborted();
    }
  }
  encoder.finish();
  return { blob: new Blob([encoder.bytes()], { type: "image/gif" }), extension: "gif" };
}
