/**
 * What a contribution of phase 2 leaves behind for everybody: the key's delta after it, and a proof that its author knew
 * the secret x by which delta was multiplied (Bowe, Gabizon, Miers 2017, as snarkjs writes it). The proof is over a hash of
 * everything before, so it fits one place of one ceremony.
 */
import { bn254 } from "@noble/curves/bn254.js";
import { blake2b } from "@noble/hashes/blake2.js";
import { g1Bytes, g2Bytes } from "../formats/zkey-layout.ts";
import { randomScalar } from "../proving/blinding.ts";
import { challengePoint } from "./challenge-point.ts";
import {
  G1,
  hashedForm,
  invalidContribution,
  type PointG1,
  type PointG2,
  readG1,
  readG2,
  writeG1,
  writeG2,
} from "./curve-points.ts";

const transcriptBytes = 64;
/** deltaAfter, s and s x in G1, challenge times x in G2, transcript: in this order. */
export const recordBytes = 3 * g1Bytes + g2Bytes + transcriptBytes;

/** Points as a key has them. */
export interface ContributionRecord {
  readonly deltaAfter: Uint8Array;
  readonly s: Uint8Array;
  readonly sx: Uint8Array;
  readonly challengeX: Uint8Array;
  /** Hash of the circuit, of all records before, of s and s x. */
  readonly transcript: Uint8Array;
}

export function splitRecord(bytes: Uint8Array): ContributionRecord {
  if (bytes.length !== recordBytes) throw invalidContribution(`a record has ${recordBytes} bytes`);
  const at = (from: number, count: number) => bytes.slice(from, from + count);
  return {
    deltaAfter: at(0, g1Bytes),
    s: at(g1Bytes, g1Bytes),
    sx: at(2 * g1Bytes, g1Bytes),
    challengeX: at(3 * g1Bytes, g2Bytes),
    transcript: at(3 * g1Bytes + g2Bytes, transcriptBytes),
  };
}

export function joinRecord(record: ContributionRecord): Uint8Array {
  const { challengeX, deltaAfter, s, sx, transcript } = record;
  const bytes = new Uint8Array(recordBytes);
  let at = 0;
  for (const part of [deltaAfter, s, sx, challengeX, transcript]) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** What its author publishes, 64 bytes: snarkjs' "contribution hash". */
export function contributionHash(record: ContributionRecord): Uint8Array {
  return blake2b(hashedRecord(record), { dkLen: transcriptBytes });
}

/** The hashes of a ceremony's records, in their order: each depends on the circuit and on all before it. */
export class TranscriptChain {
  readonly #hasher: ReturnType<typeof blake2b.create>;

  constructor(circuitHash: Uint8Array) {
    this.#hasher = blake2b.create({ dkLen: transcriptBytes }).update(circuitHash);
  }

  add(record: ContributionRecord): void {
    this.#hasher.update(hashedRecord(record));
  }

  transcriptOf(s: Uint8Array, sx: Uint8Array): Uint8Array {
    return this.#hasher.clone().update(hashedForm(s)).update(hashedForm(sx)).digest();
  }
}

/** A record for the secret, at the chain's end. */
export function makeRecord(
  chain: TranscriptChain,
  deltaBefore: Uint8Array,
  secret: bigint,
): ContributionRecord {
  const base = G1.BASE.multiply(randomScalar());
  const [s, sx] = [writeG1(base), writeG1(base.multiply(secret))];
  const transcript = chain.transcriptOf(s, sx);
  return {
    deltaAfter: writeG1(readG1(deltaBefore, "delta").multiply(secret)),
    s,
    sx,
    challengeX: writeG2(challengePoint(transcript).multiply(secret)),
    transcript,
  };
}

/**
 * Whether the record follows the chain and its author knew the secret between the two deltas: about 60 ms.
 *
 * @param deltaBefore of the record before, or of the first key
 * @throws RollupError PRV_CONTRIBUTION_INVALID; `data.reason` says which rule it breaks
 */
export function checkRecord(
  chain: TranscriptChain,
  deltaBefore: Uint8Array,
  record: ContributionRecord,
): void {
  const [before, after] = [readG1(deltaBefore, "delta before"), readG1(record.deltaAfter, "delta after")];
  const [s, sx] = [readG1(record.s, "s"), readG1(record.sx, "s x")];
  const challengeX = readG2(record.challengeX, "challenge times x");
  // Attack: another place's record, or another ceremony's, handed in again.
  const expected = chain.transcriptOf(record.s, record.sx);
  if (!expected.every((byte, i) => byte === record.transcript[i]))
    throw invalidContribution("its hash does not follow the contributions before it");
  // Attack: x = 1 adds nothing and looks like a contribution.
  if (before.equals(after)) throw invalidContribution("it changes nothing");
  const challenge = challengePoint(record.transcript);
  if (!sameRatio([s, sx], [challenge, challengeX]))
    throw invalidContribution("its author shows no knowledge of a secret");
  if (!sameRatio([before, after], [challenge, challengeX]))
    throw invalidContribution("delta was not multiplied by the secret that was shown");
}

/** Whether b is to a as y is to x: e(a, y) = e(b, x). */
export function sameRatio([a, b]: readonly [PointG1, PointG1], [x, y]: readonly [PointG2, PointG2]): boolean {
  const { Fp12 } = bn254.fields;
  return Fp12.eql(
    bn254.pairingBatch([
      { g1: a, g2: y },
      { g1: b.negate(), g2: x },
    ]),
    Fp12.ONE,
  );
}

function hashedRecord({ challengeX, deltaAfter, s, sx, transcript }: ContributionRecord): Uint8Array {
  const bytes = new Uint8Array(recordBytes);
  let at = 0;
  for (const part of [
    hashedForm(deltaAfter),
    hashedForm(s),
    hashedForm(sx),
    hashedForm(challengeX),
    transcript,
  ]) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
