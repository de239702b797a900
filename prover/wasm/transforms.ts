/**
 * Number-theoretic transforms of the quotient: from the values of a polynomial at the n-th roots of unity w^i
 * to its values at g w^i, where g^2 = w, times n. The inverse transform takes natural order to bit-reversed
 * order and the transform takes it back, so nothing is ever permuted; the powers of g are part of the second
 * one's factors. prove-steps.ts runs it.
 *
 * Stages over more elements than the cache holds run one by one, with all threads on each; the others block by
 * block.
 */
import { elementBytes, encodeElement, scalarField } from "@openledger/circuits/wasm/field-limbs";
import { powMod } from "@openledger/foundation/modular";
import { rootOfUnity, scalarModulus } from "../formats/bn254-numbers.ts";
import type { KernelCalls } from "./kernels/kernel-module.ts";
import { inverseScalar } from "./kernels/scalar-kernel.ts";
import { shareOf } from "./thread-team.ts";

/** Bytes of two elements, one a lane. */
const pairBytes = 2 * elementBytes;
/** Elements of a block, of 40 bytes each: 320 KiB, half of the second-level cache. */
const blockSize = 8192;

/** Size n, and addresses (bytes) of the factor tables. */
export interface TransformPlan {
  size: number;
  /** Factors of the stage with half m lie at m elements from the start. */
  inverseFactors: number;
  cosetFactors: number;
}

/** Fills the table of one of the two transforms. `scratch`: address of three pairs. */
export function writeFactors(
  kernels: KernelCalls,
  doubles: Float64Array,
  plan: TransformPlan,
  table: "inverse" | "coset",
  scratch: number,
): void {
  const write = (at: number, lower: bigint, upper: bigint) => {
    const limbs = [encodeElement(lower, scalarField), encodeElement(upper, scalarField)] as const;
    for (let i = 0; i < limbs[0].length; i++) {
      doubles[at / 8 + 2 * i] = limbs[0][i]!;
      doubles[at / 8 + 2 * i + 1] = limbs[1][i]!;
    }
  };
  for (let half = 2; half < plan.size; half *= 2) {
    const power = Math.log2(half);
    const first = table === "inverse" ? 1n : rootOfUnity(power + 2);
    const root = rootOfUnity(power + 1);
    const ratio = table === "inverse" ? inverseScalar(root) : root;
    write(scratch, first, (first * ratio) % scalarModulus);
    const step = powMod(ratio, 2n, scalarModulus);
    write(scratch + pairBytes, step, step);
    const address = table === "inverse" ? plan.inverseFactors : plan.cosetFactors;
    kernels.frPowers!(scratch, scratch + pairBytes, address + half * elementBytes, half / 2);
  }
  // The transform's first stage, with half 1, has the single factor g^(n / 2) in both lanes.
  if (table === "coset") {
    const factor = rootOfUnity(2);
    write(scratch, factor, factor);
    for (let i = 0; i < pairBytes / 8; i++) doubles[plan.cosetFactors / 8 + i] = doubles[scratch / 8 + i]!;
  }
}

/** Runs one thread's part of the transforms of the vectors; all threads must call it. */
export function moveToCoset(
  kernels: KernelCalls,
  plan: TransformPlan,
  vectors: readonly number[],
  thread: number,
  threadCount: number,
  meet: () => void,
): void {
  const { size } = plan;
  const block = Math.min(blockSize, size);
  for (let half = size / 2; half >= block; half /= 2) {
    for (const vector of vectors)
      runStage(kernels.frSplitStage!, vector, plan.inverseFactors, size, half, thread, threadCount);
    meet();
  }
  const blockCount = (size / block) * vectors.length;
  const [start, end] = shareOf(blockCount, thread, threadCount);
  for (let i = start; i < end; i++) {
    const perVector = size / block;
    const address = vectors[Math.floor(i / perVector)]! + (i % perVector) * block * elementBytes;
    for (let half = block / 2; half >= 2; half /= 2)
      runStage(kernels.frSplitStage!, address, plan.inverseFactors, block, half, 0, 1);
    kernels.frSplitPairs!(address, block / 2);
    kernels.frJoinPairs!(address, plan.cosetFactors, block / 2);
    for (let half = 2; half < block; half *= 2)
      runStage(kernels.frJoinStage!, address, plan.cosetFactors, block, half, 0, 1);
  }
  meet();
  for (let half = block; half < size; half *= 2) {
    for (const vector of vectors)
      runStage(kernels.frJoinStage!, vector, plan.cosetFactors, size, half, thread, threadCount);
    meet();
  }
}

/** Runs a thread's share of the stage that combines elements `half` apart. */
function runStage(
  stage: KernelCalls[string],
  vector: number,
  factors: number,
  size: number,
  half: number,
  thread: number,
  threadCount: number,
): void {
  const pairsPerBlock = half / 2;
  const [start, end] = shareOf(size / 4, thread, threadCount);
  for (let pair = start; pair < end; ) {
    const block = Math.floor(pair / pairsPerBlock);
    const offset = pair - block * pairsPerBlock;
    const count = Math.min(pairsPerBlock - offset, end - pair);
    const lower = vector + 2 * half * block * elementBytes + offset * pairBytes;
    const upper = lower + half * elementBytes;
    stage!(lower, upper, factors + half * elementBytes + offset * pairBytes, count);
    pair += count;
  }
}
