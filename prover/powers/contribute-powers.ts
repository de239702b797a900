/**
 * A contribution to powers of tau as snarkjs makes it (src/powersoftau_contribute.js): tau, alpha and beta are multiplied by
 * secrets of its own. Its proof of knowledge names a hash of everything before. `snarkjs powersoftau verify` accepts it.
 */
import { blake2b } from "@noble/hashes/blake2.js";
import { challengePoint } from "../ceremony/challenge-point.ts";
import { G1, G2, hashedForm, writeG1, writeG2 } from "../ceremony/curve-points.ts";
import { baseModulus, fieldBytes } from "../formats/bn254-numbers.ts";
import { g1Bytes, g2Bytes } from "../formats/zkey-layout.ts";
import { type Group, pointBytesOf } from "../keys/fixed-base.ts";
import { shared, withSetupPool } from "../keys/setup-pool.ts";
import { randomScalar } from "../proving/blinding.ts";
import { POWER_SECTIONS, type Powers, readPowers, writePowers } from "./powers-file.ts";
import { powersFrom, scaleAll } from "./prepare-powers.ts";

const hashBytes = 64;
const partialHashBytes = 216;
/** The points that follow from it, six points of G1 and three of G2 that prove knowledge, both hashes. */
const nextChallengeAt = 3 * g1Bytes + 2 * g2Bytes + 6 * g1Bytes + 3 * g2Bytes + partialHashBytes;
const recordHeadBytes = nextChallengeAt + hashBytes + 8;
/** Bytes that are converted and hashed at a time. */
const PIECE_POINTS = 4_096;

type Hasher = ReturnType<typeof blake2b.create>;

/** Powers to which nobody contributed: every secret is 1. */
function firstPowers(power: number): Powers {
  const generators = { g1: writeG1(G1.BASE), g2: writeG2(G2.BASE) };
  const points = POWER_SECTIONS.map(({ countOf, group }) => {
    const bytes = shared(countOf(2 ** power) * pointBytesOf(group));
    for (let at = 0; at < bytes.length; at += pointBytesOf(group)) bytes.set(generators[group], at);
    return bytes;
  });
  return { power, points, contributions: new Uint8Array(4) };
}

/**
 * @param from a file, or the power of two of a new one
 * @param name in the file's public transcript, at most 64 bytes
 * @returns the contribution's hash, which its author publishes
 * @throws RollupError PRV_PTAU_INVALID
 */
export async function contributeToPowers(
  from: string | number,
  toPath: string,
  name: string,
): Promise<Uint8Array> {
  const { contributions, points, power } =
    typeof from === "string" ? await readPowers(from) : firstPowers(from);
  const challenge = lastChallenge(contributions) ?? challengeAfter(blake2b(new Uint8Array()), points);
  const secrets = [randomScalar(), randomScalar(), randomScalar()] as const;
  const [tau, alpha, beta] = secrets;
  await withSetupPool(async (pool) => {
    for (const [i, first] of [1n, 1n, alpha, beta, beta].entries()) {
      const { countOf, group } = POWER_SECTIONS[i]!;
      await scaleAll(pool, group, points[i]!, powersFrom(first, tau, countOf(2 ** power)));
    }
  });
  const keys = secrets.map((secret, place) => proofOfKnowledge(challenge, place, secret));
  const proof = [...keys.flatMap(({ s, sx }) => [s, sx]), ...keys.map(({ challengeX }) => challengeX)];
  const hasher = blake2b.create({ dkLen: hashBytes }).update(challenge);
  hashPoints(hasher, points, true);
  const partial = partialHash(hasher);
  for (const point of proof) hasher.update(hashedForm(point));
  const hash = hasher.digest();
  const [tau1, tau2, alpha1, beta1, beta2] = points.map((bytes, i) => {
    const { countOf, group } = POWER_SECTIONS[i]!;
    const pointBytes = pointBytesOf(group);
    // The first power is 1: tau is the second one. Of the others the first one says what was multiplied.
    const at = i < 2 && countOf(2 ** power) > 1 ? pointBytes : 0;
    return new Uint8Array(bytes.subarray(at, at + pointBytes));
  });
  const text = Buffer.from(name, "utf8");
  const named = Buffer.from([1, text.length, ...text]);
  const end = Buffer.alloc(8);
  end.writeUInt32LE(named.length, 4);
  const count = Buffer.from(contributions.subarray(0, 4));
  count.writeUInt32LE(count.readUInt32LE() + 1);
  const record = [
    tau1!,
    tau2!,
    alpha1!,
    beta1!,
    beta2!,
    ...proof,
    partial,
    challengeAfter(hash, points),
    end,
    named,
  ];
  const all = Buffer.concat([count, contributions.subarray(4), ...record]);
  writePowers(toPath, { power, points, contributions: all }, new Map());
  return hash;
}

/** s and s x in G1, and x times the point of G2 that they and the challenge name. */
function proofOfKnowledge(challenge: Uint8Array, place: number, secret: bigint) {
  const base = G1.BASE.multiply(randomScalar());
  const [s, sx] = [writeG1(base), writeG1(base.multiply(secret))];
  const named = blake2b.create({ dkLen: hashBytes }).update(Uint8Array.of(place)).update(challenge);
  const transcript = named.update(hashedForm(s)).update(hashedForm(sx)).digest();
  return { s, sx, challengeX: writeG2(challengePoint(transcript).multiply(secret)) };
}

/** What the last contribution asks of the next one; null where there is none. */
function lastChallenge(contributions: Uint8Array): Uint8Array | null {
  const view = Buffer.from(contributions);
  let [at, challenge]: [number, Uint8Array | null] = [4, null];
  for (let left = view.readUInt32LE(0); left > 0; left--) {
    challenge = view.subarray(at + nextChallengeAt, at + nextChallengeAt + hashBytes);
    at += recordHeadBytes + view.readUInt32LE(at + recordHeadBytes - 4);
  }
  return challenge;
}

function challengeAfter(responseHash: Uint8Array, points: readonly Uint8Array[]): Uint8Array {
  const hasher = blake2b.create({ dkLen: hashBytes }).update(responseHash);
  hashPoints(hasher, points, false);
  return hasher.digest();
}

function hashPoints(hasher: Hasher, points: readonly Uint8Array[], isCompressed: boolean): void {
  for (const [i, { group }] of POWER_SECTIONS.entries()) {
    const piece = PIECE_POINTS * pointBytesOf(group);
    for (let at = 0; at < points[i]!.length; at += piece) {
      const plain = hashedForm(points[i]!.subarray(at, at + piece), group === "g2");
      hasher.update(isCompressed ? compressed(plain, group) : plain);
    }
  }
}

/** x alone, and in its highest bit whether y is the greater one of the two that go with it. */
function compressed(plain: Uint8Array, group: Group): Uint8Array {
  const half = pointBytesOf(group) / 2;
  const out = new Uint8Array(plain.length / 2);
  for (let at = 0, to = 0; at < plain.length; at += 2 * half, to += half) {
    out.set(plain.subarray(at, at + half), to);
    const parts = Array.from({ length: half / fieldBytes }, (_, part) => {
      const from = at + half + part * fieldBytes;
      return BigInt(`0x${Buffer.from(plain.subarray(from, from + fieldBytes)).toString("hex")}`);
    });
    // The part with u decides, unless it is zero.
    if ((parts.find((part) => part !== 0n) ?? 0n) > baseModulus / 2n) out[to]! |= 0x80;
  }
  return out;
}

/** The hash's state after what was hashed so far, in the form that snarkjs reads (src/misc.js). */
function partialHash(hasher: Hasher): Uint8Array {
  const state = hasher as unknown as Record<string, number> & {
    buffer: Uint8Array;
    pos: number;
    length: number;
  };
  const out = Buffer.alloc(partialHashBytes);
  out.set(state.buffer);
  for (let i = 0; i < 8; i++)
    for (const [part, name] of [`v${i}l`, `v${i}h`].entries())
      out.writeInt32LE(state[name]!, 128 + 8 * i + 4 * part);
  out.writeUInt32LE(state.length - state.pos, 192);
  out.writeUInt32LE(state.pos, 200);
  return out;
}
