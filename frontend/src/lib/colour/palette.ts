// Palettes as tables of 256 colours. Every one of them holds without colour:
//   signed   blue below, orange above, paper in the middle; negative cells also carry a minus stroke where there is room,
//            and the negative end is darker than the positive one
//   plain    one hue from paper to ink, for values of one sign
//   grey     from black to white through all greys, in the order of the values
import { scaleLinear } from "d3-scale";

export type PaletteName = "signed" | "plain" | "grey";

export const paletteNames: readonly PaletteName[] = ["signed", "plain", "grey"];

/** 256 colours as 0xAABBGGRR, the order of bytes in ImageData. */
export type Palette = Uint32Array<ArrayBuffer>;

type Rgb = [number, number, number];
type Stop = [position: number, colour: Rgb];

const LIGHT: Record<PaletteName, Stop[]> = {
  signed: [
    [0, [16, 38, 92]],
    [0.25, [62, 108, 178]],
    [0.5, [250, 247, 240]],
    [0.75, [232, 140, 60]],
    [1, [186, 74, 0]],
  ],
  plain: [
    [0, [252, 250, 245]],
    [0.35, [176, 196, 222]],
    [0.7, [62, 104, 168]],
    [1, [14, 32, 80]],
  ],
  grey: [
    [0, [12, 12, 12]],
    [1, [250, 250, 250]],
  ],
};

const DARK: Record<PaletteName, Stop[]> = {
  signed: [
    [0, [110, 170, 255]],
    [0.25, [48, 92, 160]],
    [0.5, [28, 28, 32]],
    [0.75, [196, 100, 30]],
    [1, [255, 214, 150]],
  ],
  plain: [
    [0, [24, 24, 28]],
    [0.35, [44, 76, 128]],
    [0.7, [108, 158, 226]],
    [1, [236, 244, 255]],
  ],
  grey: LIGHT.grey,
};

/** The table of a palette in a theme; made once. */
export function paletteOf(name: PaletteName, isDark: boolean): Palette {
  const key = `${name} ${isDark}`;
  let palette = made.get(key);
  if (!palette) made.set(key, (palette = table((isDark ? DARK : LIGHT)[name])));
  return palette;
}

const made = new Map<string, Palette>();

function table(stops: Stop[]): Palette {
  const colour = scaleLinear<Rgb>()
    .domain(stops.map(([position]) => position))
    .range(stops.map(([, rgb]) => rgb));
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const [red, green, blue] = colour(i / 255).map(Math.round) as Rgb;
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
}

/** A colour of a palette as CSS. */
export function css(colour: number): string {
  return `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
}

/** Whether black or white is read more easily on a colour: relative luminance, WCAG 2. */
export function inkOn(colour: number): "#000" | "#fff" {
  const [red, green, blue] = [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000" : "#fff";
}
