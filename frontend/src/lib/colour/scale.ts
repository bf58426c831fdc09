// From a number to one of the 256 colours of a palette.
import type { PaletteName } from "./palette";

/** Numbers at or below `low` get the first colour, at or above `high` the last, `centre` the middle one. */
export interface ColourScale {
  palette: PaletteName;
  low: number;
  centre: number;
  high: number;
}

export interface ValueRange {
  min: number | null;
  max: number | null;
}

/** Values of both signs are centred at zero, with the same distance to both ends; others run from their least to their largest. */
export function scaleFor({ min, max }: ValueRange, palette?: PaletteName | null): ColourScale {
  const [low, high] = [min ?? 0, max ?? 0];
  if (low < 0 && high > 0) {
    const reach = Math.max(-low, high);
    return { palette: palette ?? "signed", low: -reach, centre: 0, high: reach };
  }
  // Of one sign: zero is part of the range where it is not far, so that small and large can be told apart.
  if (palette === "signed" || (palette == null && high <= 0 && low < 0)) {
    const reach = Math.max(Math.abs(low), Math.abs(high));
    return { palette: "signed", low: -reach, centre: 0, high: reach };
  }
  const from = low > 0 && low < high / 2 ? 0 : low;
  return { palette: palette ?? "plain", low: from, centre: (from + high) / 2, high };
}

/** The same scale with its middle at another number: what differs from that number stands out. */
export function recentred(scale: ColourScale, centre: number): ColourScale {
  const reach = Math.max(scale.high - centre, centre - scale.low);
  return {
    palette: scale.palette === "plain" ? "signed" : scale.palette,
    low: centre - reach,
    centre,
    high: centre + reach,
  };
}

/** The place of a number in the palette, 0 to 255; numbers that are not finite have none (-1). */
export function colourIndex(value: number, { low, centre, high }: ColourScale): number {
  if (!Number.isFinite(value)) return -1;
  const share =
    value < centre
      ? centre > low
        ? 0.5 * ((value - low) / (centre - low))
        : 0.5
      : high > centre
        ? 0.5 + 0.5 * ((value - centre) / (high - centre))
        : 0.5;
  return Math.max(0, Math.min(255, Math.round(share * 255)));
}
