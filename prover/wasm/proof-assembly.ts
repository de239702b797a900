/**
 * Last step of a proof in WebAssembly: the prover's threads leave sums over the key's points, window by window,
 * and these functions make the proof's three points of them. Points in memory are byte addresses; 0 is the
 * point at infinity. prover-thread.ts calls them.
 */
import { type Groth16Proof, realFirst } from "@openledger/circuits/wire/groth16-proof";
import { zkeyHeaderPoints } from "../formats/zkey-layout.ts";
import { g1Shape, g2Shape } from "./kernels/curve-kernel.ts";
import type { KernelCalls } from "./kernels/kernel-module.ts";
import { listTasks, type MemoryPlan, type SumName, stagingBytes } from "./memory-plan.ts";
import { PointAdder } from "./point-adder.ts";

/** Sums over the key's points, as the threads have left them in shared memory. */
export interface Sums {
  kernels: KernelCalls;
  /** Memory of all threads, laid out by `plan`. */
  buffer: SharedArrayBuffer;
  plan: MemoryPlan;
  /** Index of the thread that assembles: new points go into its staging area. */
  thread: number;
  /** The zkey's header section. */
  header: Uint8Array;
}

/** The parts of a proof that lie in one group. They are independent, so two threads can make them. */
export type ProofPart =
  | { group: "g1"; a: G1Coordinates; c: G1Coordinates }
  | { group: "g2"; b: Groth16Proof["b"] };
type G1Coordinates = Groth16Proof["a"];

export interface Blinding {
  /** Blinding scalars, both below the scalar field's modulus. */
  r: bigint;
  s: bigint;
}

/**
 * The proof's points in G1, from the windows' points.
 *
 *   A = alpha + sum A + r delta        B' = beta + sum B        C = sum C and H + s A + r B'
 *
 * which is C = ... + s A + r B - r s delta with B = B' + s delta. Each line is one chain of doublings. Where r is 0, the
 * witness blinds A (proving/witness-blinding.ts), and there is no sum B.
 */
export function assembleG1(sums: Sums, { r, s }: Blinding): ProofPart {
  const adder = adderOf(sums, g1Shape);
  const key = zkeyHeaderPoints(sums.header);
  const sum = (name: SumName) => readWindows(sums, name);
  const a = adder.add(
    adder.read(key.alpha1),
    runChain(adder, [sum("a"), multiple(adder.read(key.delta1), r)]),
  );
  const b1 = r === 0n ? 0 : adder.add(adder.read(key.beta1), runChain(adder, [sum("b1")]));
  const c = runChain(adder, [sum("c"), multiple(a, s), multiple(b1, r)]);
  const [[ax, ay], [cx, cy]] = [adder.coordinates(a), adder.coordinates(c)];
  return { group: "g1", a: [ax!, ay!], c: [cx!, cy!] };
}

/** The proof's point in G2: B = beta + sum B + s delta. */
export function assembleG2(sums: Sums, { s }: Blinding): ProofPart {
  const adder = adderOf(sums, g2Shape);
  const key = zkeyHeaderPoints(sums.header);
  const chain = runChain(adder, [readWindows(sums, "b2"), multiple(adder.read(key.delta2), s)]);
  const [x0, x1, y0, y1] = adder.coordinates(adder.add(adder.read(key.beta2), chain));
  return { group: "g2", b: realFirst([x0!, x1!], [y0!, y1!]) };
}

function adderOf({ kernels, buffer, plan, thread }: Sums, shape: typeof g1Shape): PointAdder {
  return new PointAdder(kernels, buffer, shape, plan.workers[thread]!.staging, stagingBytes);
}

/** Bits of a scalar, which is below the scalar field's modulus; windows of halved scalars end far below. */
const chainBits = 254;

/** Address of a term's point at a bit, for the sum of 2^bit * term(bit). */
type Term = (bit: number) => number;

/** Computes the sum of all terms with one doubling a bit. @returns the sum's address */
function runChain(adder: PointAdder, terms: readonly Term[]): number {
  let total = 0;
  for (let bit = chainBits - 1; bit >= 0; bit--) {
    total = adder.add(total, total);
    for (const term of terms) total = adder.add(total, term(bit));
  }
  return total;
}

/** The multiple of a point, as a term: the point at each bit that the scalar has. */
function multiple(point: number, scalar: bigint): Term {
  return (bit) => (((scalar >> BigInt(bit)) & 1n) === 1n ? point : 0);
}

/** A sum over the key's points: its windows have a point for each bit. */
function readWindows({ plan, buffer }: Sums, sum: SumName): Term {
  const bytes = new Uint8Array(buffer);
  const { windowBits, windowCount } = plan.windows;
  const tasks = listTasks(plan).filter((task) => task.sum === sum);
  const { pointBytes } = sum === "b2" ? g2Shape : g1Shape;
  if (windowBits * windowCount > chainBits) throw new RangeError("the windows go beyond the chain");
  return (bit) => {
    const task = tasks[Math.floor(bit / windowBits)];
    const position = bit % windowBits;
    return task !== undefined && bytes[task.flags + position] === 1 ? task.result + position * pointBytes : 0;
  };
}
