import { bn254 } from "@noble/curves/bn254.js";
import { invertMod, powMod } from "@openledger/foundation/modular";
import { baseModulus, fieldBytes, fromBytesLe, montgomeryR } from "../formats/bn254-numbers.ts";
import { zkeyHeaderPoints } from "../formats/zkey-layout.ts";
import { kernelR } from "./field-shader.ts";
import type { SumPlan } from "./point-sums.ts";

const G1 = bn254.G1.Point;
const G2 = bn254.G2.Point;
type G1 = InstanceType<typeof G1>;
type G2 = InstanceType<typeof G2>;

const inverseR = powMod(kernelR, baseModulus - 2n, baseModulus);

/** The key's points outside of the sections of points. */
export interface HeaderPoints {
  alpha1: G1;
  beta1: G1;
  beta2: G2;
  delta1: G1;
  delta2: G2;
}

/** Reads them from a zkey's header section. */
export function readHeaderPoints(header: Uint8Array): HeaderPoints {
  const inverse = invertMod(montgomeryR, baseModulus);
  const coordinate = (point: Uint8Array, i: number) =>
    modulo(fromBytesLe(point.subarray(fieldBytes * i, fieldBytes * (i + 1))) * inverse);
  const g1 = (point: Uint8Array) => G1.fromAffine({ x: coordinate(point, 0), y: coordinate(point, 1) });
  const g2 = (point: Uint8Array) =>
    G2.fromAffine({
      x: { c0: coordinate(point, 0), c1: coordinate(point, 1) },
      y: { c0: coordinate(point, 2), c1: coordinate(point, 3) },
    });
  const { alpha1, beta1, beta2, delta1, delta2 } = zkeyHeaderPoints(header);
  return {
    alpha1: g1(alpha1),
    beta1: g1(beta1),
    beta2: g2(beta2),
    delta1: g1(delta1),
    delta2: g2(delta2),
  };
}

/** What the card hands over: see PointSums.results. */
export interface WindowBytes {
  sums: Uint8Array;
  weighted: Uint8Array;
}

/**
 * The sums from their windows' values: one for each set of the plan.
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

export function combineG2(plan: SumPlan, bytes: WindowBytes): G2[] {
  const { Fp2 } = bn254.fields;
  return combine(plan, bytes, G2.ZERO, 8, (v) => {
    const [x, y, zz, zzz] = [0, 2, 4, 6].map((i) => Fp2.create({ c0: v[i]!, c1: v[i + 1]! }));
    if (Fp2.is0(zz!)) return G2.ZERO;
    return new G2(Fp2.mul(x!, zzz!), Fp2.mul(y!, zz!), Fp2.mul(zz!, zzz!));
  });
}

function combine<P extends { add(other: P): P; double(): P }>(
  { setCounts, windowBits, windowCount }: SumPlan,
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
    let total = zero;
    for (let window = windowCount - 1; window >= 0; window--) {
      for (let bit = 0; bit < windowBits; bit++) total = total.double();
      const index = set * windowCount + window;
      total = total.add(read(sums, index)).add(read(weighted, index));
    }
    return total;
  });
}

function modulo(value: bigint): bigint {
  return value % baseModulus;
}
