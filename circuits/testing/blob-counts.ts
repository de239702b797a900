/** Constraints of blob-evaluation.circom, linear ones included; blob-evaluation.test.ts holds them to circom's. */
import { blobSteps } from "../blob/blob-reductions.ts";

/** Limbs of z; the last remainder's comparison with p, and its halves. */
const POINT = 254 + 1 + 258;
const RESULT = 258 + 36 + 56 + 3;
/** Ranges, and the two rows that share a sum. */
const PAYLOAD = 254 + 2;
const PAIR_PRODUCT = 4;
const PRODUCT = 5;

/**
 * Constraints of one reduction: ranges of quotient, remainder and carries, the equation modulo r, and the
 * carry; its five values come on top.
 */
const reductionConstraints = (terms: number): number => {
  const bits = Math.ceil(Math.log2(terms));
  return 255 + (256 + bits) + 3 * (95 + bits) + 1 + 3;
};

export function blobConstraints(transfers: number, members: number): number {
  const pairs = (transfers + members) / 2;
  const elements = pairs + members;
  const { baby, giant, highestPower } = blobSteps(elements);
  let sum = POINT + RESULT + PAYLOAD * members;
  sum += (highestPower - 1) * (PRODUCT + reductionConstraints(1));
  for (let j = 0; j < giant; j++) {
    const isLast = j === giant - 1;
    const [from, to] = [j * baby, Math.min((j + 1) * baby, elements)];
    // The first element of a step needs no product.
    const pairProducts = Math.max(0, Math.min(to, pairs) - from - 1);
    const products = to - from - 1 - pairProducts + (isLast ? 0 : 1);
    // Values that are sums have a linear row; at 0 one limb alone, at infinity one product alone is none.
    const sums = (isLast && to - from === 1 ? 3 : 4) + (products > 1 ? 1 : 0);
    sum += reductionConstraints(baby + 1) + sums + PAIR_PRODUCT * pairProducts + PRODUCT * products;
  }
  return sum;
}
