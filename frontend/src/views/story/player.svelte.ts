// Plays the story like a film: a clock that moves the page on. Where motion is not wanted, only stages change.
import { beatAt, durationOf, later, timeOf, type StageTime } from "./clock";

export const SPEEDS = [0.5, 1, 2, 4] as const;

export interface Playable {
  stages(): readonly StageTime[];
  stage(): number;
  goTo(stage: number): void;
}

const prefersStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class Player {
  isPlaying = $state(false);
  speed = $state<number>(1);
  /** Within the stage, at speed 1. */
  time_s = $state(0);
  /** Whether anything has been played or stepped in this stage: before, the reader's own focus stands. */
  hasMoved = $state(false);
  #request = 0;
  #last_ms = 0;

  constructor(private readonly film: Playable) {}

  get stageTime(): StageTime {
    return this.film.stages()[this.film.stage()] ?? { numBeats: 1, numWords: 0 };
  }

  get beat(): number {
    return beatAt(this.time_s, this.stageTime);
  }

  /** How much of the stage is over, 0 to 1. */
  get share(): number {
    return Math.min(1, this.time_s / durationOf(this.stageTime));
  }

  toggle(): void {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  play(): void {
    const isOver = this.film.stage() === this.film.stages().length - 1 && this.share >= 1;
    if (isOver) this.show(0);
    this.isPlaying = true;
    this.hasMoved = !prefersStillness();
    this.#last_ms = performance.now();
    cancelAnimationFrame(this.#request);
    this.#request = requestAnimationFrame(this.#tick);
  }

  pause(): void {
    this.isPlaying = false;
    cancelAnimationFrame(this.#request);
  }

  /** One beat on or back; over the ends of a stage into the next one. */
  step(by: 1 | -1): void {
    this.pause();
    const beat = (this.hasMoved ? this.beat : by > 0 ? -1 : this.stageTime.numBeats) + by;
    if (beat >= 0 && beat < this.stageTime.numBeats) {
      this.time_s = timeOf(beat, this.stageTime) + 1e-6;
      this.hasMoved = true;
      return;
    }
    const stage = this.film.stage() + by;
    if (stage < 0 || stage >= this.film.stages().length) return;
    this.show(stage);
    this.hasMoved = true;
    if (by < 0) this.time_s = timeOf(this.stageTime.numBeats - 1, this.stageTime) + 1e-6;
  }

  /** Go to the beginning of a stage. */
  show(stage: number): void {
    if (stage !== this.film.stage()) this.film.goTo(stage);
    this.rewind();
  }

  /** Another stage was chosen from outside, or the reader took the focus into their own hands. */
  rewind(): void {
    this.time_s = 0;
    this.hasMoved = this.isPlaying && !prefersStillness();
  }

  release(): void {
    this.pause();
    this.hasMoved = false;
  }

  #tick = (now_ms: number) => {
    if (!this.isPlaying) return;
    const elapsed_s = Math.max(0, (now_ms - this.#last_ms) / 1000) * this.speed;
    this.#last_ms = now_ms;
    const stage = this.film.stage();
    const next = later({ stage, time_s: this.time_s }, elapsed_s, this.film.stages());
    if (!next) {
      this.time_s = durationOf(this.stageTime);
      this.isPlaying = false;
      return;
    }
    if (next.stage !== stage) this.film.goTo(next.stage);
    this.time_s = next.time_s;
    this.#request = requestAnimationFrame(this.#tick);
  };
}
