/**
 * Arithmetic of a group's setup, with no dealer that anyone trusts: each dealer draws a polynomial, commits to it, proves that they
 * know its constant, and deals every member one value; a member's share is the sum of what was dealt to them. A new group's dealers
 * are its members (FROST's key generation, as @noble/curves has it); where members are replaced, k old ones deal out their weighted
 * shares, so the key stays (`resharedConstant`). setup.ts exchanges the messages.
 *
 * The last dealer to speak may choose their constant after they saw the others', and so bias a few bits of the key: signatures stay
 * as hard to forge (the proof of knowledge keeps them from cancelling another's constant).
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { Point } from "@openledger/circuits/field/curve/baby-jubjub";
import {
  frost,
  type GroupKeys,
  groupKey,
  MAX_MEMBERS,
  type MemberNumber,
  MIN_THRESHOLD,
  POINT_BYTES,
  proofChallenge,
  readPoint,
  scalars,
} from "./frost-suite.ts";
import type { KeyShare } from "./signing-part.ts";

/** What a dealer publishes. Points are hex. */
export interface Dealing {
  /** Commitments to the polynomial's coefficients, the constant first: as many as the threshold. */
  readonly commitment: readonly string[];
  /** Proof that the dealer knows the constant, bound to the dealer's number. */
  readonly proof: string;
}

/** A dealing with its polynomial. */
export interface SecretDealing {
  readonly dealing: Dealing;
  /** The polynomial's value for a member. */
  shareFor(number: MemberNumber): Uint8Array;
  erase(): void;
}

/** Deals a polynomial of degree `threshold` − 1. @param constant its secret constant; default: a random one */
export function deal(dealer: MemberNumber, threshold: number, constant?: Uint8Array): SecretDealing {
  const { public: made, secret } = frost.DKG.round1(dealer, { min: threshold, max: MAX_MEMBERS }, constant);
  return {
    dealing: {
      commitment: made.commitment.map((point) => bytesToHex(point)),
      proof: bytesToHex(made.proofOfKnowledge),
    },
    shareFor: (number) => {
      const x = toScalar(number);
      const value = secret.coefficients!.reduceRight(
        (sum, coefficient) => scalars.add(scalars.mul(sum, x), coefficient),
        scalars.ZERO,
      );
      return scalars.toBytes(value);
    },
    erase: () => frost.DKG.clean(secret),
  };
}

/** True if the dealing is of the threshold, its points are of the subgroup, and its proof is the dealer's. */
export function isDealing(dealer: MemberNumber, threshold: number, { commitment, proof }: Dealing): boolean {
  if (commitment.length !== threshold) return false;
  try {
    const [first, ...others] = commitment.map(hexToBytes);
    const constant = readPoint(first!);
    for (const point of others) readPoint(point);
    const nonce = hexToBytes(proof).subarray(0, POINT_BYTES);
    const answer = scalars.fromBytes(hexToBytes(proof).subarray(POINT_BYTES));
    const expected = constant.multiplyUnsafe(proofChallenge(dealer, first!, nonce)).add(readPoint(nonce));
    return Point.BASE.multiplyUnsafe(answer).equals(expected);
  } catch {
    return false;
  }
}

/** True if the share is the value, for this member, of the polynomial that was committed to. */
export function isShareOf(commitment: readonly string[], { number, share }: KeyShare): boolean {
  const bounds = { min: MIN_THRESHOLD, max: MAX_MEMBERS };
  const keys = { signers: bounds, commitments: commitment.map(hexToBytes), verifyingShares: {} };
  try {
    frost.validateSecret({ identifier: number, signingShare: share }, keys);
    return true;
  } catch {
    return false;
  }
}

/** Adds what was dealt to a member. */
export const addShares = (shares: readonly Uint8Array[]): Uint8Array =>
  scalars.toBytes(
    shares.map((share) => scalars.fromBytes(share)).reduce((sum, share) => scalars.add(sum, share)),
  );

/** The keys of the group that the dealings make. @throws CLI_GROUP_INVALID if they add up to no usable key */
export function addDealings(dealings: readonly Dealing[], members: readonly MemberNumber[]): GroupKeys {
  const columns = dealings[0]!.commitment.map((_, i) =>
    dealings
      .map(({ commitment }) => readPoint(hexToBytes(commitment[i]!)))
      .reduce((sum, point) => sum.add(point)),
  );
  return keysOf(
    columns.map((point) => bytesToHex(point.toBytes())),
    members,
  );
}

/** The keys of a group from its commitments. @throws CLI_GROUP_INVALID */
export function keysOf(commitments: readonly string[], members: readonly MemberNumber[]): GroupKeys {
  const points = commitments.map((point) => readPoint(hexToBytes(point)));
  const verifyingShareOf = (number: MemberNumber) => {
    const x = toScalar(number);
    return points.reduceRight((sum, point) => sum.multiplyUnsafe(x).add(point), Point.ZERO);
  };
  const keys: GroupKeys = {
    signers: { min: commitments.length, max: members.length },
    commitments: points.map(toBytes),
    verifyingShares: Object.fromEntries(members.map((number) => [number, toBytes(verifyingShareOf(number))])),
  };
  groupKey(keys);
  for (const share of Object.values(keys.verifyingShares)) readPoint(share);
  return keys;
}

/** The constant that an old member deals out where members are replaced: their share, weighted for these dealers. */
export function resharedConstant({ number, share }: KeyShare, dealers: readonly MemberNumber[]): Uint8Array {
  return weigh(number, share, dealers);
}

/** Commitment to that constant, as anyone computes it from the old group's keys. */
export function resharedCommitment(
  old: GroupKeys,
  number: MemberNumber,
  dealers: readonly MemberNumber[],
): string {
  const weight = scalars.fromBytes(weigh(number, scalars.toBytes(scalars.ONE), dealers));
  return bytesToHex(readPoint(old.verifyingShares[number]!).multiplyUnsafe(weight).toBytes());
}

/** The share times its Lagrange coefficient: what the library's interpolation gives where all others' shares are zero. */
function weigh(number: MemberNumber, share: Uint8Array, dealers: readonly MemberNumber[]): Uint8Array {
  const zero = scalars.toBytes(scalars.ZERO);
  return frost.combineSecret(
    dealers.map((dealer) => ({ identifier: dealer, signingShare: dealer === number ? share : zero })),
    { min: dealers.length, max: dealers.length },
  );
}

const toBytes = (point: (typeof Point)["BASE"]) => Uint8Array.from(point.toBytes());

const toScalar = (number: MemberNumber): bigint => scalars.fromBytes(hexToBytes(number));
