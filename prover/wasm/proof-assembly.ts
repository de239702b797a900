import { bn254 } from "@noble/curves/bn254.js";
import { baseField, decodeElement, elementBytes } from "@openledger/circuits/wasm/field-limbs";
import { type Groth16Proof, realFirst } from "@openledger/circuits/wire/groth16-proof";
import { invertMod } from "@openledger/foundation/modular";
import { baseModulus, fromBytesLe, montgomeryR } from "../formats/bn254-numbers.ts";
import { g1Bytes, g2Bytes } from "../formats/zkey-layout.ts";
import { g1Shape, g2Shape } from "./kernels/curve-kernel.ts";
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
  const inverseR = invertMod(montgomeryR, baseModulus);
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

/**
 * The proof's points in G1, from the windows' points.
 *
 *   A = alpha + sum A + r delta        B' = beta + sum B        C = sum C + sum H + s A + r B'
 *
 * which is C = ... + s A + r B - r s delta with B = B' + s delta. Each line is one chain of doublings.
 */
export function assembleG1(
  plan: MemoryPlan,
  buffer: SharedArrayBuffer,
  key: HeaderPoints,
  { r, s }: Blinding,
): ProofPart {
  const element = elementReader(buffer);
  const read = (at: number) => G1.fromAffine({ x: element(at), y: element(at + elementBytes) });
  const sum = (name: SumName) => readWindows(plan, buffer, name, g1Shape.pointBytes, read);
  const a = key.alpha1.add(runChain(G1.ZERO, [sum("a"), multiple(key.delta1, r)]));
  const b1 = key.beta1.add(runChain(G1.ZERO, [sum("b1")]));
  const c = runChain(G1.ZERO, [sum("c"), sum("h"), twoMultiples(a, s, b1, r)]);
  const [pa, pc] = [a.toAffine(), c.toAffine()];
  return { group: "g1", a: [pa.x, pa.y], c: [pc.x, pc.y] };
}

/** The proof's point in G2: B = beta + sum B + s delta. */
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
  const sum = readWindows(plan, buffer, "b2", g2Shape.pointBytes, read);
  const { x, y } = key.beta2.add(runChain(G2.ZERO, [sum, multiple(key.delta2, s)])).toAffine();
  return {
    group: "g2",
    b: realFirst([x.c0, x.c1], [y.c0, y.c1]),
  };
}

function elementReader(buffer: SharedArrayBuffer): (address: number) => bigint {
  const doubles = new Float64Array(buffer);
  return (address) => decodeElement(doubles.subarray(address / 8, (address + elementBytes) / 8), baseField);
}

/** Bits of a scalar; windows of halved scalars end far below. */
const chainBits = 254;

/** What is added at a bit: the sum of 2^bit * term(bit) is meant. */
type Term<P> = (bit: number) => P | undefined;

/** The sum of all terms with one doubling a bit. */
function runChain<P extends { add(other: P): P; double(): P }>(zero: P, terms: readonly Term<P>[]): P {
  let total = zero;
  for (let bit = chainBits - 1; bit >= 0; bit--) {
    total = total.double();
    for (const term of terms) {
      const point = term(bit);
      if (point !== undefined) total = total.add(point);
    }
  }
  return total;
}

function multiple<P>(point: P, scalar: bigint): Term<P> {
  return (bit) => (isSet(scalar, bit) ? point : undefined);
}

/** scalarP * p + scalarQ * q */
function twoMultiples<P extends { add(other: P): P }>(p: P, scalarP: bigint, q: P, scalarQ: bigint): Term<P> {
  const both = p.add(q);
  return (bit) =>
    isSet(scalarP, bit) ? (isSet(scalarQ, bit) ? both : p) : isSet(scalarQ, bit) ? q : undefined;
}

function isSet(scalar: bigint, bit: number): boolean {
  return ((scalar >> BigInt(bit)) & 1n) === 1n;
}

/** A sum over the key's points: its windows have a point for each bit. */
function readWindows<P>(
  plan: MemoryPlan,
  buffer: SharedArrayBuffer,
  sum: SumName,
  pointBytes: number,
  read: (at: number) => P,
): Term<P> {
  const bytes = new Uint8Array(buffer);
  const { windowBits, windowCount } = windowsOf(plan, sum);
  const tasks = listTasks(plan).filter((task) => task.sum === sum);
  if (windowBits * windowCount > chainBits) throw new RangeError("the windows go beyond the chain");
  return (bit) => {
    const task = tasks[Math.floor(bit / windowBits)];
    if (task === undefined) return undefined;
    const place = bit % windowBits;
    return bytes[task.flags + place] === 1 ? read(task.result + place * pointBytes) : undefined;
  };
}
