import type { OnProgress } from "../progress.ts";
import { SeededRandom } from "./seeded-random.ts";

export interface SgdOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly rate: number;
  /** Part of the last step that is kept; 0 for plain descent. */
  readonly momentum: number;
  /** Names the order of the rows. */
  readonly seed: string;
}

/**
 * Stochastic gradient descent in an order that does not depend on which rows take part: batches are cut from a
 * permutation of *all* rows, absent ones are skipped. Leaving out one row then changes one batch an epoch, not the
 * whole path, so retrained models differ by that row and not by chance.
 *
 * @param addGradient adds `weight` times the gradient of row `i` at `x` to `gradient`
 */
export function descend(
  addGradient: (x: Float64Array, i: number, weight: number, gradient: Float64Array) => void,
  rowCount: number,
  indices: Int32Array,
  start: Float64Array,
  options: SgdOptions & { readonly decay: number; readonly onProgress?: OnProgress | undefined },
): Float64Array {
  const takesPart = new Uint8Array(rowCount);
  for (const i of indices) takesPart[i] = 1;
  const x = start.slice();
  const gradient = new Float64Array(x.length);
  const step = new Float64Array(x.length);
  const random = new SeededRandom(`${options.seed}/order`);
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    options.onProgress?.({ stage: "train", done: epoch, total: options.epochs });
    const order = random.permutation(rowCount);
    for (let from = 0; from < rowCount; from += options.batchSize) {
      const batch = order.subarray(from, from + options.batchSize).filter((i) => takesPart[i] === 1);
      if (batch.length === 0) continue;
      gradient.fill(0);
      for (const i of batch) addGradient(x, i, 1 / batch.length, gradient);
      for (let k = 0; k < x.length; k++) {
        const s = options.momentum * step[k]! + gradient[k]! + options.decay * x[k]!;
        step[k] = s;
        x[k] = x[k]! - options.rate * s;
      }
    }
  }
  return x;
}
