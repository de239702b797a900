/**
 * Number-theoretic transforms of the quotient: from the values of a polynomial at the n-th roots of unity w^i
 * to its values at g w^i, where g^2 = w, times n. The inverse transform takes natural order to bit-reversed
 * order and the transform takes it back, so nothing is ever permuted; the powers of g are part of the second
 * one's factors. prove-steps.ts runs it.
 *
 * Stages over more elements than the cache holds run one by one, with all threads on each; the others block by
 * block. Only the factors of the others are kept in tables: those of a large stage are as many as half of the vector's
 * elements, and each serves all its vectors and blocks in turn, so that making it anew costs little.
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
/** Pairs of factors of a large stage that are made at once: 40 KiB. */
const factorPairs = 512;
/** Bytes of a thread's scratch memory: first factors, their step, and `factorPairs` with the next ones' first. */
export const transformScratchBytes = (2 + factorPairs + 1) * pairBytes;

type Table = "inverse" | "coset";

/** Size n, and addresses (bytes) of the factor tables. */
export interface TransformPlan {
  size: number;
  /** Factors of the stage with half m lie at m elements from the start, for stages within a block. */
  inverseFactors: number;
  cosetFactors: number;
}

/** Bytes of each of the two tables. */
export const factorBytes = (size: number): number => elementBytes * Math.min(blockSize, size);

/** Tools that make factors: the kernels, their memory as doubles, and the address of transformScratchBytes in it. */
export interface FactorMaker {
  kernels: KernelCalls;
  doubles: Float64Array;
  scratch: number;
}

function writePair(doubles: Float64Array, at: number, lower: bigint, upper: bigint): void {
  const limbs = [encodeElement(lower, scalarField), encodeElement(upper, scalarField)] as const;
  for (let i = 0; i < limbs[0].length; i++) {
    doubles[at / 8 + 2 * i] = limbs[0][i]!;
    doubles[at / 8 + 2 * i + 1] = limbs[1][i]!;
  }
}

/** Writes the pair of factors at `pair` of the stage with half `half` to the scratch memory, behind it the step to the next. */
function writeFirst({ doubles, scratch }: FactorMaker, table: Table, half: number, pair: number): void {
  const power = Math.log2(half);
  const root = rootOfUnity(power + 1);
  const ratio = table === "inverse" ? inverseScalar(root) : root;
  const begin = table === "inverse" ? 1n : rootOfUnity(power + 2);
  const first = (begin * powMod(ratio, BigInt(2 * pair), scalarModulus)) % scalarModulus;
  writePair(doubles, scratch, first, (first * ratio) % scalarModulus);
  const step = powMod(ratio, 2n, scalarModulus);
  writePair(doubles, scratch + pairBytes, step, step);
}

/** Fills the table of one of the two transforms. */
export function writeFactors(maker: FactorMaker, plan: TransformPlan, table: Table): void {
  const { kernels, doubles, scratch } = maker;
  const address = table === "inverse" ? plan.inverseFactors : plan.cosetFactors;
  for (let half = 2; half < Math.min(blockSize, plan.size); half *= 2) {
    writeFirst(maker, table, half, 0);
    kernels.frPowers!(scratch, scratch + pairBytes, address + half * elementBytes, half / 2);
  }
  // The transform's first stage, with half 1, has the single factor g^(n / 2) in both lanes.
  const factor = rootOfUnity(2);
  if (table === "coset") writePair(doubles, address, factor, factor);
}

/** Runs one thread's part of the transforms of the vectors. All threads must; each yield is where they have to meet. */
export function* moveToCoset(
  maker: FactorMaker,
  plan: TransformPlan,
  vectors: readonly number[],
  thread: number,
  threadCount: number,
): Generator<void> {
  const { kernels } = maker;
  const { size } = plan;
  const block = Math.min(blockSize, size);
  for (let half = size / 2; half >= block; half /= 2) {
    runLargeStage(maker, "inverse", vectors, size, half, thread, threadCount);
    yield;
  }
  const blockCount = (size / block) * vectors.length;
  const [start, end] = shareOf(blockCount, thread, threadCount);
  for (let i = start; i < end; i++) {
    const perVector = size / block;
    const address = vectors[Math.floor(i / perVector)]! + (i % perVector) * block * elementBytes;
    for (let half = block / 2; half >= 2; half /= 2)
      runStage(kernels.frSplitStage!, address, plan.inverseFactors, block, half);
    kernels.frSplitPairs!(address, block / 2);
    kernels.frJoinPairs!(address, plan.cosetFactors, block / 2);
    for (let half = 2; half < block; half *= 2)
      runStage(kernels.frJoinStage!, address, plan.cosetFactors, block, half);
  }
  yield;
  for (let half = block; half < size; half *= 2) {
    runLargeStage(maker, "coset", vectors, size, half, thread, threadCount);
    yield;
  }
}

/** Runs the stage that combines elements `half` apart, with factors from a table. */
function runStage(
  stage: KernelCalls[string],
  vector: number,
  factors: number,
  size: number,
  half: number,
): void {
  for (let first = 0; first < size; first += 2 * half) {
    const lower = vector + first * elementBytes;
    stage!(lower, lower + half * elementBytes, factors + half * elementBytes, half / 2);
  }
}

/** Runs a thread's share of such a stage of all vectors, and makes its factors. */
function runLargeStage(
  maker: FactorMaker,
  table: Table,
  vectors: readonly number[],
  size: number,
  half: number,
  thread: number,
  threadCount: number,
): void {
  const { kernels, scratch } = maker;
  const stage = table === "inverse" ? kernels.frSplitStage! : kernels.frJoinStage!;
  const [step, factors] = [scratch + pairBytes, scratch + 2 * pairBytes];
  const [start, end] = shareOf(half / 2, thread, threadCount);
  writeFirst(maker, table, half, start);
  let first = scratch;
  for (let pair = start; pair < end; pair += factorPairs) {
    const count = Math.min(factorPairs, end - pair);
    kernels.frPowers!(first, step, factors, count + 1);
    for (const vector of vectors) {
      for (let block = 0; block < size; block += 2 * half) {
        const lower = vector + block * elementBytes + pair * pairBytes;
        stage(lower, lower + half * elementBytes, factors, count);
      }
    }
    first = factors + count * pairBytes;
  }
}
