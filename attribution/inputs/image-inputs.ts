/** Pictures as counts, by either way of a recipe: the levels of a grid's cells, or numbers of edges, colours and shape. */
import type { DecodedPicture } from "../pictures/decoded-picture.ts";
import { gridOf, stepOf } from "../pictures/picture-grid.ts";
import { MAX_COUNT } from "./input-counter.ts";
import { countsAt } from "./knots.ts";
import type { GridInputs, ImageInputs, NumberInputs } from "./model-inputs.ts";
import { pictureNumbers } from "./picture-numbers.ts";

export const countPicture = (picture: DecodedPicture, inputs: ImageInputs, buckets: number): Uint8Array =>
  inputs.numbers === undefined ? countGrid(picture, inputs, buckets) : countNumbers(picture, inputs, buckets);

/**
 * The picture squeezed into a grid (pictures/picture-grid.ts), and each cell's mean level in steps, halves up. A cell has a bucket for
 * three steps: the first fills up before the second begins.
 */
function countGrid(picture: DecodedPicture, inputs: GridInputs, buckets: number): Uint8Array {
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

/** Each number at its knots, whose buckets are in the order of the numbers: all pictures count alike, three a number. */
function countNumbers(picture: DecodedPicture, { knots }: NumberInputs, buckets: number): Uint8Array {
  const counts = new Uint8Array(buckets);
  let first = 0;
  for (const [k, number] of pictureNumbers(picture).entries()) {
    const own = knots[k]!;
    if (own.length > 0) for (const { count, knot } of countsAt(number, own)) counts[first + knot] = count;
    first += own.length;
  }
  return counts;
}
