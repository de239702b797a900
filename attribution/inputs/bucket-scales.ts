/**
 * Scales of buckets: a model sees s · count ÷ √n in place of count ÷ √n, n being the counts together. So one block of buckets weighs no
 * less than another of more buckets, and its weights are penalised 1 ÷ s² as much.
 *
 * Circuits, queries and receipts have the counts alone, since the scale moves into what is registered: with the weight w of a bucket a
 * logit is Σ (s w) · count ÷ √n + bias. A row's influence on w is v, so its influence on s w, by which the circuit weighs the count, is
 * s v: of any two rows' scores the ratio is that of exact influence, as it is without scales. Registered are s w of the logits and s v of
 * the rows; both are rounded behind the scale, so entries stay within ±511.
 */
import type { ModelInputs } from "./model-inputs.ts";
import { NUMBER_BLOCKS } from "./picture-numbers.ts";

/** Scale of each bucket, for `termBuckets` of them: 1 where inputs say nothing else. */
export function bucketScales(inputs: ModelInputs, termBuckets: number): Float64Array {
  const scales = new Float64Array(termBuckets).fill(1);
  if (inputs.kind !== "image" || inputs.numbers === undefined) return scales;
  let [bucket, number] = [0, 0];
  for (const [block, { count }] of NUMBER_BLOCKS.entries()) {
    const buckets = inputs.knots.slice(number, number + count).reduce((sum, knots) => sum + knots.length, 0);
    scales.fill(inputs.scales[block]!, bucket, bucket + buckets);
    bucket += buckets;
    number += count;
  }
  return scales;
}
