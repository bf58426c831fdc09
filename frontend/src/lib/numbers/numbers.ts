// How numbers are written: short ones as in the server's formulas (five significant digits), and exact ones.

/** Five significant digits, as Python's %.5g: 0.50069, 1.3665, 2.5e-07, nan. */
export function short(value: number | null, digits = 5): string {
  if (value === null || Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  if (exponent < -4 || exponent >= Math.max(digits, 7)) {
    const [mantissa, power] = value.toExponential(digits - 1).split("e") as [string, string];
    return `${trimZeros(mantissa)}e${power[0] === "-" ? "-" : "+"}${power.slice(1).padStart(2, "0")}`;
  }
  return trimZeros(value.toPrecision(Math.max(digits, exponent + 1)));
}

/** The fewest digits that give the same float32 again. */
export function exact(value: number): string {
  if (!Number.isFinite(value)) return short(value);
  for (let digits = 1; digits < 10; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === Math.fround(value)) return String(Number(text));
  }
  return String(value);
}

/** At most five characters or so, for a cell. */
export function tiny(value: number): string {
  if (!Number.isFinite(value)) return short(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.005 || size >= 1e5)) return value.toExponential(0).replace("e+", "e");
  if (size >= 1000) return value.toFixed(0);
  return size >= 10 ? trimZeros(value.toFixed(1)) : trimZeros(value.toFixed(2));
}

/** A share as per cent: 12.3 %, < 0.1 %. */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.1) return "< 0.1 %";
  return `${value.toFixed(1)} %`;
}

/** A whole number in groups of three digits, with spaces that do not break; thin ones can hardly be seen. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
}

/** "4 × 64" */
export function shapeText(shape: readonly number[]): string {
  return shape.length ? shape.join(" × ") : "1";
}

function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
