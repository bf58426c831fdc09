import { expect, test } from "vitest";
import { MemoryPlane } from "../planes/memory";
import { cutRegion, MOST_COPIED, numpySource, readRegion, sliceText } from "./numpy";

test("a region is read from the tiles it touches and written as NumPy", async () => {
  const plane = new MemoryPlane(
    "fixture",
    Float32Array.from({ length: 300 * 4 }, (_, i) => i / 4),
    300,
  );
  const region = { rows: [255, 257] as [number, number], cols: [1, 3] as [number, number] };
  const lines = await readRegion(plane, region);
  expect(numpySource(sliceText("x", [0, 7, 7], { rows: 1, cols: 2 }, region), lines, "float32")).toBe(
    "# x[0, 255:257, 1:3]\nnp.array([\n    [255.25, 255.5],\n    [256.25, 256.5],\n], dtype=np.float32)\n",
  );
});

test("what is not finite is written so that NumPy reads it", () => {
  expect(numpySource("v", [[NaN, Infinity, -Infinity, 0.1]], "bfloat16")).toBe(
    "# v\nnp.array([np.nan, np.inf, -np.inf, 0.1], dtype=np.float32)\n",
  );
});

test("a large region is cut to what can be pasted", () => {
  const { rows, cols } = cutRegion({ rows: [5, 5000], cols: [0, 300] });
  expect((rows[1] - rows[0]) * (cols[1] - cols[0])).toBeLessThanOrEqual(MOST_COPIED);
  expect([rows[0], cols]).toEqual([5, [0, 300]]);
});
