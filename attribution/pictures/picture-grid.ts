/**
 * A picture squeezed into a square grid: means of its pixels over each cell's area, in whole numbers alone, so that every machine has the
 * same. A pixel that lies in two cells counts in each by its part. The whole picture is in the grid, whatever its sides: a crop would
 * leave out what somebody has labelled.
 */

import type { DecodedPicture } from "./decoded-picture.ts";
import type { Orientation } from "./exif.ts";

/** Sums over the cells of a grid, row after row; of three colours one grid after another. */
export interface PictureGrid {
  readonly side: number;
  /** Sum of a cell that is white all over. */
  readonly whole: number;
  readonly sums: Float64Array;
}

/** Weights of red, green and blue in a grey level, in thousandths. */
const LUMA = [299, 587, 114] as const;

/** Squeezes a picture. Transparent pixels are shown on white, as pages show them. */
export function gridOf(picture: DecodedPicture, side: number, colours: 1 | 3): PictureGrid {
  const { height, pixels, width } = picture;
  const cellCount = side * side;
  const sums = new Float64Array(colours * cellCount);
  const columns = sharesOf(width, side);
  const rows = sharesOf(height, side);
  const line = new Float64Array(colours * side);
  const shown = (at: number, alpha: number) =>
    alpha === 255 ? pixels[at]! : Math.floor((pixels[at]! * alpha + 255 * (255 - alpha) + 127) / 255);
  for (let y = 0; y < height; y++) {
    line.fill(0);
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      const alpha = pixels[at + 3]!;
      const [red, green, blue] = [shown(at, alpha), shown(at + 1, alpha), shown(at + 2, alpha)];
      for (let k = columns.starts[x]!; k < columns.starts[x + 1]!; k++) {
        const [cell, weight] = [columns.cells[k]!, columns.weights[k]!];
        if (colours === 1) {
          line[cell]! += weight * (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue);
        } else {
          line[cell]! += weight * red;
          line[side + cell]! += weight * green;
          line[2 * side + cell]! += weight * blue;
        }
      }
    }
    for (let k = rows.starts[y]!; k < rows.starts[y + 1]!; k++) {
      const first = rows.cells[k]! * side;
      for (let c = 0; c < colours; c++)
        for (let cell = 0; cell < side; cell++)
          // At most 255,000 · 2^24 together: exact.
          sums[c * cellCount + first + cell]! += rows.weights[k]! * line[c * side + cell]!;
    }
  }
  const whole = (colours === 1 ? 255_000 : 255) * width * height;
  return { side, whole, sums: turned(sums, side, picture.orientation) };
}

/** Rounds a part of a whole to one of so many steps, 0 … steps: halves go up. */
export const stepOf = (part: number, whole: number, steps: number): number =>
  // Below 2^53, and a quotient this small is nowhere near the next whole number by rounding alone.
  Math.floor((2 * steps * part + whole) / (2 * whole));

/** Cells that the pixels of a line lie in, pixel after pixel, with each cell's part in units of 1 / side of a pixel. */
interface Shares {
  /** Position of each pixel's first cell, and the end of the last one's. */
  readonly starts: Int32Array;
  readonly cells: readonly number[];
  readonly weights: readonly number[];
}

function sharesOf(pixelCount: number, side: number): Shares {
  const starts = new Int32Array(pixelCount + 1);
  const cells: number[] = [];
  const weights: number[] = [];
  for (let k = 0; k < pixelCount; k++) {
    const [from, to] = [k * side, (k + 1) * side];
    for (let cell = Math.floor(from / pixelCount); cell * pixelCount < to; cell++) {
      cells.push(cell);
      weights.push(Math.min(to, (cell + 1) * pixelCount) - Math.max(from, cell * pixelCount));
    }
    starts[k + 1] = cells.length;
  }
  return { starts, cells, weights };
}

/** The grid as the picture is to be looked at: a square one may be turned after the squeezing. */
function turned(sums: Float64Array, side: number, orientation: Orientation): Float64Array {
  if (orientation === 1) return sums;
  const last = side - 1;
  const stored = (x: number, y: number): [number, number] => {
    switch (orientation) {
      case 2:
        return [last - x, y];
      case 3:
        return [last - x, last - y];
      case 4:
        return [x, last - y];
      case 5:
        return [y, x];
      case 6:
        return [y, last - x];
      case 7:
        return [last - y, last - x];
      case 8:
        return [last - y, x];
      default:
        return [x, y];
    }
  };
  const cellCount = side * side;
  return sums.map((_, k) => {
    const cell = k % cellCount;
    const [x, y] = stored(cell % side, Math.floor(cell / side));
    return sums[k - cell + y * side + x]!;
  });
}
