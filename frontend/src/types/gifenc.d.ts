// What the page uses of gifenc, which has no types of its own.
declare module "gifenc" {
  type Colours = number[][];
  interface Encoder {
    writeFrame(
      indices: Uint8Array,
      width: number,
      height: number,
      options?: { palette?: Colours; delay?: number; repeat?: number },
    ): void;
    finish(): void;
    bytes(): Uint8Array<ArrayBuffer>;
  }
  export function GIFEncoder(): Encoder;
  export function quantize(pixels: Uint8ClampedArray, maxColours: number): Colours;
  export function applyPalette(pixels: Uint8ClampedArray, palette: Colours): Uint8Array;
}
