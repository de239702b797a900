/**
 * Pictures as counts: the picture squeezed into a grid (pictures/picture-grid.ts), and each cell's mean level in steps, halves up. A cell
 * has a bucket for three steps: the first fills up before the second begins.
 */

import type { DecodedPicture } from "../pictures/decoded-picture.ts";
import { gridOf, stepOf } from "../pictures/picture-grid.ts";
import { MAX_COUNT } from "./input-counter.ts";
import type { ImageInputs } from "./model-inputs.ts";

export function countPicture(picture: DecodedPicture, inputs: ImageInputs, buckets: number): Uint8Array {
  const { colours, ground, levels, side } = inputs;
  const counts = new Uint8Array(buckets);
  const bucketsPerCell = Math.ceil(levels / MAX_COUNT);
  const { sums, whole } = gridOf(picture, side, colours);
  let total = 0;
  for (const [cell, sum] of sums.entries()) {
    const level = stepOf(ground === "black" ? sum : whole - sum, whole, levels);
    total += level;
    for (let k = 0; k < bucketsPerCell; k++)
      counts[cell * bucketsPerCell + k] = Math.max(0, Math.min(MAX_COUNT, level - MAX_COUNT * k));
  }
  // The ground's own bucket, behind the cells': a picture of nothing else is no prompt without a count.
  if (total === 0) counts[sums.length * bucketsPerCell] = 1;
  return counts;
}
