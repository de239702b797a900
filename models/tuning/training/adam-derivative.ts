/** Derivative of a step of `adam` by the moments that it left, for tangents.ts and the bench's metagradients. */
import type { Place } from "../../engine/kernels/kernels.ts";

type Numbers = Float32Array | Float64Array;

/** Places where a step of `adam` has the sum of its gradients, and the moments as it left them. */
export interface StepOffsets {
  readonly sum: Place;
  readonly first: Place;
  readonly second: Place;
}

/** Parts of each number: what v changes by with the slope, and what the number falls by with m, and rises by with v. */
export interface AdamDerivative {
  readonly squares: Numbers;
  readonly ofMean: Numbers;
  readonly ofSquare: Numbers;
}

/**
 * Writes the derivative. In doubles: the same everywhere. With gradients, v is wider by the mean square of what a row adds to the slope:
 * where v is far below that, Adam follows signs, whose derivative is a spike at 0. Where neither is above 0, nothing moves. Without
 * gradients it is exact.
 *
 * @param settings of `adam` @param gradients of the step's rows @param to as many numbers as the adapter has
 */
export function deriveAdam(
  arena: Numbers,
  { first, second, sum }: StepOffsets,
  settings: ArrayLike<number>,
  gradients: readonly Place[],
  { ofMean, ofSquare, squares }: AdamDerivative,
): void {
  const [rate = 0, , , , part2 = 0, c1 = 0, c2 = 0, epsilon = 0, , factor = 0] = Array.from(settings);
  const isExact = gradients.length === 0;
  for (let k = 0; k < squares.length; k++) {
    let squared = 0;
    for (const at of gradients) squared += arena[at + k]! * arena[at + k]!;
    const wider = isExact ? 0 : (factor * factor * squared) / gradients.length;
    const root = Math.sqrt(c2 * arena[second + k]! + wider);
    const slope = (rate * c1) / (root + epsilon);
    squares[k] = 2 * part2 * factor * arena[sum + k]!;
    ofMean[k] = root > 0 || isExact ? slope : 0;
    ofSquare[k] = root > 0 ? (slope * arena[first + k]! * c2) / (2 * root * (root + epsilon)) : 0;
  }
}
