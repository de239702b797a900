/**
 * Layout of the memory that the wasm back end's threads share for one key: addresses (bytes) of key, witness,
 * vectors, digits and results. At most 4 GiB.
 */
import { elementBytes } from "@openledger/circuits/wasm/field-limbs";
import { proverError } from "../prover-errors.ts";
import { scratchBytes } from "./kernels/coordinates.ts";
import { g1Shape, g2Shape } from "./kernels/curve-kernel.ts";
import { kernelBytes, pageBytes } from "./kernels/kernel-module.ts";
import {
  chooseWindows,
  type WindowLimits,
  type WindowShape,
  windowPointCount,
  windowSumBytes,
} from "./multi-scalar.ts";
import { factorBytes } from "./transforms.ts";

/**
 * Sums of a proof, those with the longest windows first, because the last to end should be short. The
 * quotient's points, h, are summed with c's, in the same buckets.
 */
const sumNames = ["c", "b2", "a", "b1"] as const;
export type SumName = (typeof sumNames)[number];
export type PointName = SumName | "h";

interface KeyShape {
  wireCount: number;
  publicCount: number;
  domainSize: number;
  coefficientCount: number;
}

/** Addresses in the memory that a key's workers share. Untouched bytes cost nothing. */
export interface MemoryPlan {
  shape: KeyShape;
  workerCount: number;
  byteCount: number;
  windows: WindowShape;
  limits: WindowLimits;
  /** Barrier, task counter and flags. */
  control: number;
  /** Points of the key, read once and reused by every proof. */
  points: Record<PointName, { points: number; indices: number; maxCount: number }>;
  coefficients: number;
  rowStarts: [a: number, b: number];
  terms: number;
  inverseFactors: number;
  cosetFactors: number;
  /**
   * Addresses of the running proof's data. What a step no longer needs lends its place to what a later one writes: the plain
   * witness to A's vector, the witness as elements to C's and that to the quotient, B's vector to the quotient's digits, A's
   * and C's to the first two threads' sums. All threads meet between the last read and the first write (prove-steps.ts).
   */
  witness: number;
  witnessTable: number;
  witnessDigits: number;
  vectors: [a: number, b: number, c: number];
  scales: number;
  quotientDigits: number;
  results: number;
  resultFlags: number;
  workers: { scratch: number; work: number; staging: number }[];
}

/** Bytes of a thread's buffer for the key's file: whole coefficients of 44 bytes. */
export const stagingBytes = 44 * 65536;
/** 32-bit words of barrier, task counter and flags. */
const controlWords = 16;
/** WebAssembly's limit, 4 GiB. */
const maxBytes = 65536 * pageBytes;

/** Plans the memory of a key. @throws RollupError PRV_CIRCUIT_UNSUPPORTED if 4 GiB do not suffice */
export function planMemory(shape: KeyShape, workerCount: number): MemoryPlan {
  const { wireCount, publicCount, domainSize, coefficientCount } = shape;
  let at = kernelBytes;
  const take = (byteCount: number) => {
    const address = at;
    at += Math.ceil(byteCount / 128) * 128;
    return address;
  };
  const takePoints = (maxCount: number, keyPointBytes: number) => ({
    points: take(maxCount * keyPointBytes),
    indices: take(maxCount * 4),
    maxCount,
  });
  const even = (count: number) => count + (count & 1);
  const windows = chooseWindows(Math.max(wireCount, domainSize));
  const digitBytes = (count: number) => 4 * count * windows.windowCount;
  const windowPoints = windows.windowCount * windowPointCount(windows);
  const limits: WindowLimits = {
    maxWindowBits: windows.windowBits,
    maxPointCount: wireCount + domainSize,
  };
  const vectorBytes = elementBytes * domainSize;
  const workBytes = Math.max(windowSumBytes(g1Shape, limits), windowSumBytes(g2Shape, limits));
  const [witness, witnessTable, quotientDigits] = [
    take(Math.max(32 * even(wireCount), vectorBytes, workBytes)),
    take(Math.max(elementBytes * even(wireCount), vectorBytes, workerCount > 1 ? workBytes : 0)),
    take(Math.max(vectorBytes, digitBytes(domainSize))),
  ];
  const plan: Omit<MemoryPlan, "byteCount"> = {
    shape,
    limits,
    workerCount,
    windows,
    control: take(4 * controlWords),
    workers: Array.from({ length: workerCount }, (_, thread) => ({
      scratch: take(scratchBytes),
      work: [witness, witnessTable][thread] ?? take(workBytes),
      staging: take(stagingBytes),
    })),
    points: {
      a: takePoints(wireCount, g1Shape.keyPointBytes),
      b1: takePoints(wireCount, g1Shape.keyPointBytes),
      b2: takePoints(wireCount, g2Shape.keyPointBytes),
      c: takePoints(wireCount - publicCount - 1, g1Shape.keyPointBytes),
      h: takePoints(domainSize, g1Shape.keyPointBytes),
    },
    coefficients: take(elementBytes * (coefficientCount + 2)),
    rowStarts: [take(4 * (domainSize + 1)), take(4 * (domainSize + 1))],
    terms: take(8 * (coefficientCount + 2 * domainSize + 2)),
    inverseFactors: take(factorBytes(domainSize)),
    cosetFactors: take(factorBytes(domainSize)),
    witness,
    witnessTable,
    witnessDigits: take(digitBytes(wireCount)),
    vectors: [witness, quotientDigits, witnessTable],
    scales: take(8 * elementBytes),
    quotientDigits,
    results: take(sumNames.length * windowPoints * g2Shape.pointBytes),
    resultFlags: take(sumNames.length * windowPoints),
  };
  if (at > maxBytes) {
    throw proverError("PRV_CIRCUIT_UNSUPPORTED", `a key of ${wireCount} wires needs more than 4 GiB`, {
      data: { ...shape, byteCount: at, maxBytes },
    });
  }
  return { ...plan, byteCount: at };
}

/** A window of one of the sums, and where its points go. */
interface SumTask {
  sum: SumName;
  window: number;
  result: number;
  flags: number;
}

/** Windows of all sums, in the order in which the workers take them. */
export function listTasks(plan: MemoryPlan): SumTask[] {
  let pointIndex = 0;
  return sumNames.flatMap((sum) => {
    return Array.from({ length: plan.windows.windowCount }, (_, window) => {
      const task = {
        sum,
        window,
        result: plan.results + pointIndex * g2Shape.pointBytes,
        flags: plan.resultFlags + pointIndex,
      };
      pointIndex += windowPointCount(plan.windows);
      return task;
    });
  });
}
