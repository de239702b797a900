/**
 * Images as unit vectors whose inner product is their correlation (−1 to 1): near-duplicates.ts finds copies by
 * it.
 */

/** Grey levels, a byte a pixel, row after row. */
export interface ImageShape {
  readonly width: number;
  readonly height: number;
}

/** Side of the squares of pixels whose means are compared first. */
const COARSE_PIXELS = 4;
/** Bytes of more than one level differ from their mean by far more than this, rounding by far less. */
const ROUNDING = 1e-9;

/**
 * An image as a vector of length 1 and mean 0, moved by whole pixels so that its centre of mass is in the middle: the
 * inner product of two is their correlation, whatever their brightness, contrast and place. 0 for one grey level.
 */
export function imageVector(pixels: Uint8Array, { width, height }: ImageShape): Float64Array {
  let mass = 0;
  let massX = 0;
  let massY = 0;
  for (let k = 0; k < width * height; k++) {
    mass += pixels[k]!;
    massX += pixels[k]! * (k % width);
    massY += pixels[k]! * Math.floor(k / width);
  }
  const out = new Float64Array(width * height);
  if (mass === 0) return out;
  const moveX = Math.floor((width - 1) / 2 - massX / mass + 0.5);
  const moveY = Math.floor((height - 1) / 2 - massY / mass + 0.5);
  let sum = 0;
  for (let k = 0; k < width * height; k++) {
    const x = (k % width) + moveX;
    const y = Math.floor(k / width) + moveY;
    if (x < 0 || x >= width || y < 0 || y >= height) continue;
    out[y * width + x] = pixels[k]!;
    sum += pixels[k]!;
  }
  const mean = sum / out.length;
  let squares = 0;
  for (let k = 0; k < out.length; k++) {
    out[k] = out[k]! - mean;
    squares += out[k]! * out[k]!;
  }
  const length = Math.sqrt(squares);
  return length < ROUNDING ? out.fill(0) : out.map((x) => x / length);
}

/** Means of two by two pixels. Attack: a pattern whose squares keep their sums, which a model's grid does not see and a correlation of pixels does. */
export function halved(pixels: Uint8Array, { height, width }: ImageShape): Uint8Array {
  const [columns, lines] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  return Uint8Array.from({ length: columns * lines }, (_, cell) => {
    const [x, y] = [2 * (cell % columns), 2 * Math.floor(cell / columns)];
    let [sum, count] = [0, 0];
    for (let row = y; row < Math.min(y + 2, height); row++)
      for (let column = x; column < Math.min(x + 2, width); column++) {
        sum += pixels[row * width + column]!;
        count += 1;
      }
    return Math.floor(sum / count + 0.5);
  });
}

/** Components along the squares of pixels, each an orthonormal direction; squares at the edge may be smaller. */
export function coarseImageVector(fine: Float64Array, { width, height }: ImageShape): Float64Array {
  const columns = Math.ceil(width / COARSE_PIXELS);
  const sums = new Float64Array(columns * Math.ceil(height / COARSE_PIXELS));
  const counts = new Int32Array(sums.length);
  for (const [k, x] of fine.entries()) {
    const square =
      Math.floor(Math.floor(k / width) / COARSE_PIXELS) * columns + Math.floor((k % width) / COARSE_PIXELS);
    sums[square] = sums[square]! + x;
    counts[square] = counts[square]! + 1;
  }
  return sums.map((sum, square) => sum / Math.sqrt(counts[square]!));
}
