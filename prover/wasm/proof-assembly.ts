import { bn254 } from "@noble/curves/bn254.js";
import { baseModulus, fromBytesLe, montgomeryR, scalarModulus } from "../bn254-wasm.ts";
import type { Groth16Proof } from "../prover.ts";
import { g1Bytes, g2Bytes } from "../zkey-layout.ts";
import { g1Shape, g2Shape } from "./curve-kernel.ts";
import { baseField, decodeElement, elementBytes, inverse } from "./field-limbs.ts";
import { listTasks, type MemoryPlan, type SumName, windowsOf } from "./memory-plan.ts";

const G1 = bn254.G1.Point;
const G2 = bn254.G2.Point;
type G1 = InstanceType<typeof G1>;
type G2 = InstanceType<typeof G2>;

/** The key's points outside of the sections of points. */
export interface HeaderPoints {
  alpha1: G1;
  beta1: G1;
  beta2: G2;
  delta1: G1;
  delta2: G2;
}

/** Reads them from the end of a zkey's header section. */
export function readHeaderPoints(header: Uint8Array): HeaderPoints {
  const inverseR = inverse(montgomeryR, baseModulus);
  const coordinate = (at: number) => (fromBytesLe(header.subarray(at, at + 32)) * inverseR) % baseModulus;
  const g1 = (at: number) => G1.fromAffine({ x: coordinate(at), y: coordinate(at + 32) });
  const g2 = (at: number) =>
    G2.fromAffine({
      x: { c0: coordinate(at), c1: coordinate(at + 32) },
      y: { c0: coordinate(at + 64), c1: coordinate(at + 96) },
    });
  const alpha1 = header.length - 3 * (g1Bytes + g2Bytes);
  const beta2 = alpha1 + 2 * g1Bytes;
  const delta1 = beta2 + 2 * g2Bytes;
  return {
    alpha1: g1(alpha1),
    beta1: g1(alpha1 + g1Bytes),
    beta2: g2(beta2),
    delta1: g1(delta1),
    delta2: g2(delta1 + g1Bytes),
  };
}

/** The five sums from their windows' points. */
export function combineWindows(
  plan: MemoryPlan,
  buffer: SharedArrayBuffer,
): { g1: Record<Exclude<SumName, "b2">, G1>; b2: G2 } {
  const doubles = new Float64Array(buffer);
  const bytes = new Uint8Array(buffer);
  const element = (address: number) =>
    decodeElement(doubles.subarray(address / 8, address / 8 + elementBytes / 8), baseField);
  const readG1 = (at: number) => G1.fromAffine({ x: element(at), y: element(at + elementBytes) });
  const readG2 = (at: number) =>
    G2.fromAffine({
      x: { c0: element(at), c1: element(at + elementBytes) },
      y: { c0: element(at + 2 * elementBytes), c1: element(at + 3 * elementBytes) },
    });
  const tasks = listTasks(plan);
  const combine = <P extends { add(other: P): P; double(): P }>(
    sum: SumName,
    zero: P,
    pointBytes: number,
    read: (at: number) => P,
  ): P => {
    const { windowBits, windowCount } = windowsOf(plan, sum);
    const own = tasks.filter((task) => task.sum === sum);
    let total = zero;
    for (let window = windowCount - 1; window >= 0; window--) {
      const { result, flags } = own[window]!;
      for (let bit = windowBits - 1; bit >= 0; bit--) {
        total = total.double();
        if (bytes[flags + bit] === 1) total = total.add(read(result + bit * pointBytes));
      }
    }
    return total;
  };
  const g1 = (sum: SumName) => combine(sum, G1.ZERO, g1Shape.pointBytes, readG1);
  return {
    g1: { a: g1("a"), b1: g1("b1"), c: g1("c"), h: g1("h") },
    b2: combine("b2", G2.ZERO, g2Shape.pointBytes, readG2),
  };
}

/** Groth16's three points, blinded by r and s, both below the scalar field's modulus. */
export function assembleProof(
  key: HeaderPoints,
  { g1, b2 }: ReturnType<typeof combineWindows>,
  r: bigint,
  s: bigint,
): Groth16Proof {
  const times = (point: G1, scalar: bigint) => (scalar === 0n ? G1.ZERO : point.multiplyUnsafe(scalar));
  const a = key.alpha1.add(g1.a).add(times(key.delta1, r));
  const b1 = key.beta1.add(g1.b1).add(times(key.delta1, s));
  const b = key.beta2.add(b2).add(s === 0n ? G2.ZERO : key.delta2.multiplyUnsafe(s));
  const blinding = times(a, s)
    .add(times(b1, r))
    .subtract(times(key.delta1, (r * s) % scalarModulus));
  const c = g1.c.add(g1.h).add(blinding);
  const [pa, pb, pc] = [a.toAffine(), b.toAffine(), c.toAffine()];
  return {
    a: [pa.x, pa.y],
    b: [
      [pb.x.c0, pb.x.c1],
      [pb.y.c0, pb.y.c1],
    ],
    c: [pc.x, pc.y],
  };
}
