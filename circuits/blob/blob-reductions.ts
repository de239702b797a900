/**
 * Part of a batch's witness for blob-evaluation.circom: the divisions by p, the modulus of Ethereum's blobs, in the evaluation
 * of a blob's polynomial at z, in baby and giant steps.
 */
import { BLOB_FIELD_ORDER } from "./blob-bytes.ts";

/** Bits of a limb of a value mod p in blob-evaluation.circom, which has three. */
const LIMB_BITS = 92;
type Limbs = readonly [bigint, bigint, bigint];

interface BlobReductions {
  readonly quotient: readonly Limbs[];
  readonly remainder: readonly Limbs[];
}

/** Step counts to evaluate a polynomial with two or more coefficients. */
interface BlobSteps {
  readonly baby: number;
  readonly giant: number;
  /** Highest power of z that the giant steps need; all powers from z^1 up to it are computed. */
  readonly highestPower: number;
}

/** Computes BABY_STEPS, GIANT_STEPS and HIGHEST_POWER of blob-evaluation.circom. */
export function blobSteps(elementCount: number): BlobSteps {
  const baby = Math.ceil(Math.sqrt(elementCount));
  const giant = Math.ceil(elementCount / baby);
  return { baby, giant, highestPower: giant > 1 ? baby : baby - 1 };
}

const limbsOf = (value: bigint): Limbs => [
  BigInt.asUintN(LIMB_BITS, value),
  BigInt.asUintN(LIMB_BITS, value >> BigInt(LIMB_BITS)),
  value >> BigInt(2 * LIMB_BITS),
];

/** Powers of z first, then giant steps from the highest coefficients down. The last remainder is the value at z. */
export function blobReductions(elements: readonly bigint[], z: bigint): BlobReductions {
  const { baby, giant, highestPower } = blobSteps(elements.length);
  const divisions: { readonly quotient: bigint; readonly remainder: bigint }[] = [];
  const reduce = (value: bigint): bigint => {
    const remainder = value % BLOB_FIELD_ORDER;
    divisions.push({ quotient: value / BLOB_FIELD_ORDER, remainder });
    return remainder;
  };
  const powers = [1n, z];
  while (powers.length <= highestPower) powers.push(reduce(powers.at(-1)! * z));
  let value = 0n;
  for (let j = giant - 1; j >= 0; j--) {
    const before = j < giant - 1 ? value * powers[baby]! : 0n;
    const next = elements.slice(j * baby, (j + 1) * baby);
    value = reduce(next.reduce((sum, element, i) => sum + element * powers[i]!, before));
  }
  return {
    quotient: divisions.map(({ quotient }) => limbsOf(quotient)),
    remainder: divisions.map(({ remainder }) => limbsOf(remainder)),
  };
}
