// The time of the film: how long a stage lasts, and which of its beats a moment falls on.

export interface StageTime {
  /** How many times something moves on within the stage: tokens that are gone through, say. */
  numBeats: number;
  /** Words to read. */
  numWords: number;
}

export interface Moment {
  stage: number;
  time_s: number;
}

const BEAT_S = 0.9;
const WORD_S = 0.28;
const [SHORTEST_S, LONGEST_S] = [5, 16];
/** At the end of a stage all stands still, so that the last beat can be seen. */
const REST_S = 1;

/** Long enough to read what stands there and to see every beat, at speed 1. */
export function durationOf({ numBeats, numWords }: StageTime): number {
  return Math.max(SHORTEST_S, Math.min(LONGEST_S, Math.max(numWords * WORD_S, numBeats * BEAT_S + REST_S)));
}

/** The beat at a time within a stage. */
export function beatAt(time_s: number, stage: StageTime): number {
  if (stage.numBeats <= 1) return 0;
  const each_s = (durationOf(stage) - REST_S) / stage.numBeats;
  return Math.max(0, Math.min(stage.numBeats - 1, Math.floor(time_s / each_s)));
}

/** When a beat begins. */
export function timeOf(beat: number, stage: StageTime): number {
  return stage.numBeats <= 1 ? 0 : (beat * (durationOf(stage) - REST_S)) / stage.numBeats;
}

/** A moment later; null when the film is over. */
export function later(moment: Moment, elapsed_s: number, stages: readonly StageTime[]): Moment | null {
  let { stage, time_s } = moment;
  time_s += elapsed_s;
  for (;;) {
    const now = stages[stage];
    const duration_s = now ? durationOf(now) : 0;
    if (time_s < duration_s) return { stage, time_s };
    if (stage >= stages.length - 1) return null;
    time_s -= duration_s;
    stage++;
  }
}

export function countWords(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}
