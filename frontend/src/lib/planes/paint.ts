// Pixels of tiles.
import { paletteOf } from "../colour/palette";
import { colourIndex, type ColourScale } from "../colour/scale";

/** Which number a cell of a higher level is coloured by. */
export type CellStatistic = "mean" | "min" | "max";

/** A canvas with one pixel for each number; numbers that are not finite are left clear, so that the ground shows. */
export function paintNumbers(
  numbers: Float32Array,
  width: number,
  height: number,
  scale: ColourScale,
  isDark: boolean,
): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const palette = paletteOf(scale.palette, isDark);
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < numbers.length; i++) {
    const colour = colourIndex(numbers[i]!, scale);
    if (colour >= 0) pixels[i] = palette[colour]!;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
