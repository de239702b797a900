/**
 * Last step of the sums on the graphics card: combines the windows' points to one point each on the processor,
 * for gpu-proof.ts.
 */
import { bn254 } from "@noble/curves/bn254.js";
import { powMod } from "@openledger/foundation/modular";
import { baseModulus, fieldBytes, fromBytesLe } from "../formats/bn254-numbers.ts";
import { kernelR } from "./field-shader.ts";
import type { SumPlan } from "./point-sums.ts";

const G1 = bn254.G1.Point;
const G2 = bn254.G2.Point;
type G1 = InstanceType<typeof G1>;
type G2 = InstanceType<typeof G2>;

/** Inverse of the kernels' Montgomery factor. */
const inverseR = powMod(kernelR, baseModulus - 2n, baseModulus);

/** Results of the card: see PointSums.results. */
export interface WindowBytes {
  sums: Uint8Array;
  weighted: Uint8Array;
}

/**
 * Combines the windows' values to the sums in G1: one for each set of the plan.
 *
 * The windows are put together here and not on the card: their 255 doublings come one after another, where a
 * card's thread is slower than a processor's, and the few kilobytes are there before the next kernel begins.
 */
export function combineG1(plan: SumPlan, bytes: WindowBytes): G1[] {
  return combine(plan, bytes, G1.ZERO, 4, ([x, y, zz, zzz]) => {
    if (zz === 0n) return G1.ZERO;
    return new G1(modulo(x! * zzz!), modulo(y! * zz!), modulo(zz! * zzz!));
  });
}

/** Combines the windows' values to the sums in G2. */
export function combineG2(plan: SumPlan, bytes: WindowBytes): G2[] {
  const { Fp2 } = bn254.fields;
  return combine(plan, bytes, G2.ZERO, 8, (v) => {
    const [x, y, zz, zzz] = [0, 2, 4, 6].map((i) => Fp2.create({ c0: v[i]!, c1: v[i + 1]! }));
    if (Fp2.is0(zz!)) return G2.ZERO;
    return new G2(Fp2.mul(x!, zzz!), Fp2.mul(y!, zz!), Fp2.mul(zz!, zzz!));
  });
}

function combine<P extends { add(other: P): P; double(): P }>(
  { setCounts, windowBits, windowCount, planeCount }: SumPlan,
  { sums, weighted }: WindowBytes,
  zero: P,
  elementCount: number,
  decode: (elements: bigint[]) => P,
): P[] {
  const read = (bytes: Uint8Array, index: number) => {
    const at = (i: number) => fieldBytes * (index * elementCount + i);
    const elements = Array.from({ length: elementCount }, (_, i) =>
      modulo(fromBytesLe(bytes.subarray(at(i), at(i + 1))) * inverseR),
    );
    return decode(elements);
  };
  return setCounts.map((_, set) => {
    const first = set * planeCount;
    let total = zero;
    for (let window = windowCount - 1; window >= 0; window--) {
      // The last window's digits above half of 2^windowBits: bucket i of their plane is of the digit half + 1 + i.
      const hasUpper = window === windowCount - 1 && planeCount > windowCount;
      if (hasUpper) total = total.add(read(sums, first + windowCount));
      for (let bit = 1; bit < windowBits; bit++) total = total.double();
      if (!hasUpper) total = total.double();
      const planes = hasUpper ? [window, windowCount] : [window];
      for (const plane of planes)
        total = total.add(read(sums, first + plane)).add(read(weighted, first + plane));
    }
    return total;
  });
}

function modulo(value: bigint): bigint {
  return value % baseModulus;
}
