// What every picture of a stage is given.
import type { ModelInfo, Stage, TraceInfo } from "../../../lib/api/types";

export interface StageProps {
  model: ModelInfo;
  trace: TraceInfo;
  stage: Stage;
  /** The stage's values that the trace has. */
  names: readonly string[];
  head: number;
  /** Where the film stands; null where the reader looks around on their own. */
  beat: number | null;
  numBeats: number;
  /** The reader moves the focus inside a value. */
  onmove: (name: string, index: number[]) => void;
}
