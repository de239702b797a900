/** One contribution: all points that depend on delta, divided by a fresh secret. Runs in Node and in a page's worker. */

import { sha512 } from "@noble/hashes/sha2.js";
import { invertMod } from "@openledger/foundation/modular";
import { fromBytesLe, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { g1Bytes } from "../formats/zkey-layout.ts";
import { buildKernelImage } from "../wasm/kernels/kernel-module.ts";
import {
  type ContributionRecord,
  contributionHash,
  joinRecord,
  makeRecord,
  recordBytes,
  splitRecord,
  TranscriptChain,
} from "./contribution-record.ts";
import { readG2, writeG2 } from "./curve-points.ts";
import { type RoundShape, roundFileBytes, roundHeadBytes, splitRound } from "./round-file.ts";
import { PointScaler, scaleBatch } from "./scale-points.ts";

export interface ContributionWork {
  readonly circuitHash: Uint8Array;
  readonly shape: RoundShape;
  /** Of all contributions so far, each recordBytes. */
  readonly records: readonly Uint8Array[];
  /** The round to contribute to; it is not changed. */
  readonly round: Uint8Array;
  /** Whatever the person brought: mixed with the system's randomness, and no worse than that where it is known. */
  readonly entropy: Uint8Array;
}

export interface ContributedRound {
  readonly round: Uint8Array;
  /** 64 bytes, to publish. */
  readonly hash: Uint8Array;
}

type OnProgress = (done: number, total: number) => void;

/**
 * The secret lives in this call alone. Blocks its thread: about 40 µs a point.
 *
 * @throws RollupError PRV_CONTRIBUTION_INVALID where the round that was given is malformed; PRV_PROVE_FAILED without
 * relaxed SIMD
 */
export function contribute(work: ContributionWork, onProgress: OnProgress): ContributedRound {
  const steps = contributionSteps(work);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    onProgress(step.value, work.shape.pointCount);
  }
}

/** The same, and lets timers and answers come in between. @throws as `contribute` */
export async function contributeInTurns(
  work: ContributionWork,
  onProgress: OnProgress,
): Promise<ContributedRound> {
  const steps = contributionSteps(work);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    onProgress(step.value, work.shape.pointCount);
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Yields the number of points that are done. */
function* contributionSteps(work: ContributionWork): Generator<number, ContributedRound> {
  const { circuitHash, records, shape } = work;
  const before = splitRound(work.round, shape);
  const chain = new TranscriptChain(circuitHash);
  for (const bytes of records) chain.add(splitRecord(bytes));
  const secret = drawSecret(work.entropy);
  const record: ContributionRecord = makeRecord(chain, before.delta1, secret);
  const round = new Uint8Array(roundFileBytes(shape));
  round.set(joinRecord(record));
  round.set(writeG2(readG2(before.delta2, "delta").multiply(secret)), recordBytes);
  const scaler = new PointScaler(buildKernelImage());
  const inverse = toBytesLe(invertMod(secret, scalarModulus));
  const scalars = new Uint8Array(scaleBatch * inverse.length);
  for (let at = 0; at < scalars.length; at += inverse.length) scalars.set(inverse, at);
  for (let done = 0; done < shape.pointCount; done += scaleBatch) {
    const from = done * g1Bytes;
    const to = Math.min(done + scaleBatch, shape.pointCount) * g1Bytes;
    scaler.scale(
      before.points.subarray(from, to),
      scalars,
      round.subarray(roundHeadBytes + from, roundHeadBytes + to),
    );
    yield Math.min(done + scaleBatch, shape.pointCount);
  }
  return { round, hash: contributionHash(record) };
}

/** 512 bits of a hash over system randomness and entropy, so that either alone is enough; uniform but for 2^-258. */
function drawSecret(entropy: Uint8Array): bigint {
  for (;;) {
    const system = globalThis.crypto.getRandomValues(new Uint8Array(64));
    const secret = fromBytesLe(sha512.create().update(system).update(entropy).digest()) % scalarModulus;
    if (secret > 1n) return secret;
  }
}
