import { bn254 } from "@noble/curves/bn254.js";
import { baseField, decodeElement, elementBytes, inverse } from "../../circuits/wasm/field-limbs.ts";
import { baseModulus, fromBytesLe, montgomeryR, scalarModulus } from "../bn254-wasm.ts";
import type { Groth16Proof } from "../groth16-proof.ts";
import { g1Bytes, g2Bytes } from "../zkey-layout.ts";
import { g1Shape, g2Shape } from "./curve-kernel.ts";
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

/** The parts of a proof that lie in one group. They are independent, so two threads can make them. */
export type ProofPart =
  | { group: "g1"; a: G1Coordinates; c: G1Coordinates }
  | { group: "g2"; b: Groth16Proof["b"] };
type G1Coordinates = Groth16Proof["a"];

export interface Blinding {
  /** Both below the scalar field's modulus. */
  r: bigint;
  s: bigint;
}

/** The proof's points in G1, from the windows' points. */
export function assembleG1(
  plan: MemoryPlan,
  buffer: SharedArrayBuffer,
  key: HeaderPoints,
  { r, s }: Blinding,
): ProofPart {
  const element = elementReader(buffer);
  const read = (at: number) => G1.fromAffine({ x: element(at), y: element(at + elementBytes) });
  const sum = (name: SumName) => combineWindows(plan, buffer, name, G1.ZERO, g1Shape.pointBytes, read);
  const times = (point: G1, scalar: bigint) => (scalar === 0n ? G1.ZERO : point.multiplyUnsafe(scalar));
  const a = key.alpha1.add(sum("a")).add(times(key.delta1, r));
  const b1 = key.beta1.add(sum("b1")).add(times(key.delta1, s));
  const blinding = times(a, s)
    .add(times(b1, r))
    .subtract(times(key.delta1, (r * s) % scalarModulus));
  const c = sum("c").add(sum("h")).add(blinding);
  const [pa, pc] = [a.toAffine(), c.toAffine()];
  return { group: "g1", a: [pa.x, pa.y], c: [pc.x, pc.y] };
}

/** The proof's point in G2. */
export function assembleG2(
  plan: MemoryPlan,
  buffer: SharedArrayBuffer,
  key: HeaderPoints,
  { s }: Blinding,
): ProofPart {
  const element = elementReader(buffer);
  const read = (at: number) =>
    G2.fromAffine({
      x: { c0: element(at), c1: element(at + elementBytes) },
      y: { c0: element(at + 2 * elementBytes), c1: element(at + 3 * elementBytes) },
    });
  const sum = combineWindows(plan, buffer, "b2", G2.ZERO, g2Shape.pointBytes, read);
  const { x, y } = key.beta2
    .add(sum)
    .add(s === 0n ? G2.ZERO : key.delta2.multiplyUnsafe(s))
    .toAffine();
  return {
    group: "g2",
    b: [
      [x.c0, x.c1],
      [y.c0, y.c1],
    ],
  };
}

function elementReader(buffer: SharedArrayBuffer): (address: number) => bigint {
  const doubles = new Float64Array(buffer);
  return (address) => decodeElement(doubles.subarray(address / 8, (address + elementBytes) / 8), baseField);
}

/** A sum over the key's points from its windows' points. */
function combineWindows<P extends { add(other: P): P; double(): P }>(
  plan: MemoryPlan,
  buffer: SharedArrayBuffer,
  sum: SumName,
  zero: P,
  pointBytes: number,
  read: (at: number) => P,
): P {
  const bytes = new Uint8Array(buffer);
  const { windowBits, windowCount } = windowsOf(plan, sum);
  const tasks = listTasks(plan).filter((task) => task.sum === sum);
  let total = zero;
  for (let window = windowCount - 1; window >= 0; window--) {
    const { result, flags } = tasks[window]!;
    for (let bit = windowBits - 1; bit >= 0; bit--) {
      total = total.double();
      if (bytes[flags + bit] === 1) total = total.add(read(result + bit * pointBytes));
    }
  }
  return total;
}
