/**
 * Pixels of handwritten digits (28 × 28 bytes), and their means over squares as inputs in [0, 1]. Runs in pages
 * and in Node.
 */

/** Pixels of a digit's side. */
export const DIGIT_SIDE = 28;
/** Side of a digit where labels are checked: squares of 2 × 2 pixels become one number. */
export const POOLED_DIGIT_SIDE = 14;
/** Bytes of a digit, row after row. */
export const PIXEL_COUNT = DIGIT_SIDE * DIGIT_SIDE;

/** Digits of 28 × 28 bytes as side × side numbers in [0, 1]: means of squares of pixels. */
export function poolDigits(pixels: Uint8Array, side: 28 | 14 | 7): Float64Array {
  const count = pixels.length / PIXEL_COUNT;
  const factor = DIGIT_SIDE / side;
  const values = new Float64Array(count * side * side);
  for (let i = 0; i < count; i++) {
    for (let p = 0; p < PIXEL_COUNT; p++) {
      const y = Math.floor(Math.floor(p / DIGIT_SIDE) / factor);
      const x = Math.floor((p % DIGIT_SIDE) / factor);
      const at = (i * side + y) * side + x;
      values[at] = values[at]! + pixels[i * PIXEL_COUNT + p]!;
    }
  }
  for (let k = 0; k < values.length; k++) values[k] = values[k]! / (255 * factor * factor);
  return values;
}
