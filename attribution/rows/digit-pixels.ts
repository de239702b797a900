/** A digit's pixels, for pages and for Node. */

/** Pixels of a digit's side. */
export const SIDE = 28;
/** Bytes of a digit, row after row. */
export const PIXEL_COUNT = SIDE * SIDE;

/** Digits of 28 × 28 bytes as side × side numbers in [0, 1]: means of squares of pixels. */
export function poolDigits(pixels: Uint8Array, side: 28 | 14 | 7): Float64Array {
  const count = pixels.length / PIXEL_COUNT;
  const factor = SIDE / side;
  const values = new Float64Array(count * side * side);
  for (let i = 0; i < count; i++) {
    for (let p = 0; p < PIXEL_COUNT; p++) {
      const y = Math.floor(Math.floor(p / SIDE) / factor);
      const x = Math.floor((p % SIDE) / factor);
      const at = (i * side + y) * side + x;
      values[at] = values[at]! + pixels[i * PIXEL_COUNT + p]!;
    }
  }
  for (let k = 0; k < values.length; k++) values[k] = values[k]! / (255 * factor * factor);
  return values;
}
