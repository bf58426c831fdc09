import { describe, expect, it } from "vitest";
import { aligned, plotsOf } from "./curves";

const rows = [
  { step: 1, loss: 7.6, learning_rate: 0.1, train_s: 17, tokens_per_s: null },
  { step: 2, train_s: 20, held_out: { loss: 6.6, bits_per_byte: 2.9, num_tokens: 18018 } },
  { step: 3, loss: 6.1, learning_rate: 0.05, train_s: 25, tokens_per_s: 2500 },
];

describe("curves of a run", () => {
  it("are one plot a quantity, the loss first, the speed last", () => {
    expect(plotsOf(rows, "step").map(({ quantity }) => quantity)).toEqual([
      "loss",
      "bits_per_byte",
      "learning_rate",
      "tokens_per_s",
    ]);
  });

  it("show training and held-out loss together", () => {
    const [loss] = plotsOf(rows, "step");
    expect(loss!.lines.map(({ key }) => key)).toEqual(["loss", "held_out.loss"]);
    expect(aligned(loss!)).toEqual([
      [1, 2, 3],
      [7.6, null, 6.1],
      [null, 6.6, null],
    ]);
  });

  it("can run over time, and leave out what was not measured", () => {
    const speed = plotsOf(rows, "train_s").at(-1)!;
    expect(speed.lines[0]!.points).toEqual([{ x: 25, y: 2500 }]);
  });
});
