/**
 * FROST (RFC 9591) over BabyJubJub's subgroup of prime order: k of n members sign together what the ledger takes as one key's
 * signature. The arithmetic is `createFROST` of @noble/curves; of ours are the challenge, which is the ledger's
 * (`signatureFactor` of eddsa.ts) in place of H2, the check of a dealer's proof, the encoding of messages, and the bounds.
 *
 * H1, H3, H4 and H5 are SHA-512 under the context string `SUITE`; scalars are its 512 bits mod the subgroup's order. Points are
 * 32 bytes as EdDSA writes them; those that are off the curve, in another subgroup, the identity, or not canonical are refused.
 *
 * Secure as FROST is, if discrete logarithms on BabyJubJub are hard and the hashes act as random functions: fewer than k members,
 * with any number of sessions at once, sign nothing, as binding factors bind a nonce to the message and to all commitments.
 * The ledger's challenge has 128 bits, so a forger's one guess succeeds with probability 2^-128, as for single keys.
 * One member may stop a session, and is named; k members together are the key. A nonce that signs twice gives its member's share
 * away: nonces live in one process's memory, are erased at their first use, and are never written down (`createNonce`).
 * `initPoseidon` must have been awaited.
 */
import { createFROST, type FrostPublic } from "@noble/curves/abstract/frost.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { Point } from "@openledger/circuits/field/curve/baby-jubjub";
import {
  type CurvePoint,
  isUsableKey,
  type Message,
  type Signature,
  signatureFactor,
  taggedParts,
} from "@openledger/circuits/field/curve/eddsa";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { hex32 } from "@openledger/foundation/hex";
import type { Hex } from "viem";
import { clientError } from "../client-errors.ts";

/** Context string of the hashes: a change of rules changes it. */
const SUITE = "OpenLedger-FROST-BabyJubJub-SHA512-v1";

/** Bounds of a group: 2 ≤ threshold ≤ members ≤ MAX_MEMBERS. One member is a plain key. */
export const MIN_THRESHOLD = 2;
export const MAX_MEMBERS = 16;

/** Bytes of an encoded point. */
export const POINT_BYTES = 32;
const ELEMENT_BYTES = 32;
const MESSAGE_ELEMENTS = 4;

/** Scalars: integers mod the order of the subgroup. */
export const { Fn: scalars } = Point;
type GroupPoint = (typeof Point)["BASE"];

export const frost = createFROST({
  name: SUITE,
  Point,
  hash: sha512,
  challenge: (r8: GroupPoint, key: GroupPoint, bytes) =>
    signatureFactor({ r8x: r8.toAffine().x, keyX: key.toAffine().x, message: decodeMessage(bytes) }),
});

/** Challenge of a dealer's proof that they know the constant behind a commitment: the library's, which does not export it. */
export const proofChallenge = (dealer: MemberNumber, commitment: Uint8Array, nonce: Uint8Array): bigint =>
  scalars.create(
    bytesToNumberLE(sha512(concatBytes(utf8ToBytes(`${SUITE}dkg`), hexToBytes(dealer), commitment, nonce))),
  );

/** What the members know of their key: threshold, commitments to its polynomial, and each member's verifying share. */
export type GroupKeys = FrostPublic;
/** A member's number in one set of shares: a scalar, as hex. */
export type MemberNumber = string;

/**
 * The number of a member in a set of shares. It is a hash, so that what a member proves under it holds in this set alone.
 * @param session name of the setup that makes the shares @param keyX the member's ledger key
 */
export const memberNumber = (session: string, keyX: string): MemberNumber =>
  frost.Identifier.derive(`${session}/${keyX}`);

/** A message as FROST's hashes take it: its tag and three parts, each 32 bytes big-endian. @throws CLI_INPUT_INVALID */
export function encodeMessage(message: Message): Uint8Array {
  const [tag, parts] = taggedParts(message);
  const elements = [tag, ...parts];
  if (elements.some((element) => element < 0n || element >= FIELD_ORDER))
    throw clientError("CLI_INPUT_INVALID", "a message's parts are field elements", {
      data: { reason: "message-range" },
    });
  return concatBytes(
    ...elements.map((element) => hexToBytes(element.toString(16).padStart(2 * ELEMENT_BYTES, "0"))),
  );
}

function decodeMessage(bytes: Uint8Array): Message {
  const at = (i: number) =>
    BigInt(`0x${bytesToHex(bytes.subarray(ELEMENT_BYTES * i, ELEMENT_BYTES * (i + 1)))}`);
  if (bytes.length !== MESSAGE_ELEMENTS * ELEMENT_BYTES) throw new RangeError("a message has four parts");
  return [at(0), [at(1), at(2), at(3)]];
}

/** The group's key, which a leaf may hold. @throws CLI_GROUP_INVALID if it is none */
export function groupKey({ commitments }: GroupKeys): CurvePoint {
  const key = readPoint(commitments[0]!).toAffine();
  if (!isUsableKey(key))
    throw groupInvalid("key-unusable", "the group's commitments add up to no usable key");
  return key;
}

/** A key as the ledger has it: its x-coordinate. */
export const toKeyX = ({ x }: CurvePoint): Hex => hex32(x);

/** A point of the subgroup, not the identity, from its one encoding. @throws CLI_GROUP_INVALID */
export function readPoint(bytes: Uint8Array): GroupPoint {
  const refuse = (cause?: unknown) =>
    groupInvalid("point-malformed", "the bytes are no point of BabyJubJub's subgroup of prime order", cause);
  let point: GroupPoint;
  try {
    point = Point.fromBytes(bytes);
  } catch (cause) {
    throw refuse(cause);
  }
  if (point.is0() || !point.isTorsionFree()) throw refuse();
  return point;
}

/** FROST's signature as the ledger has it. */
export function toLedgerSignature(bytes: Uint8Array): Signature {
  const { x: r8x, y: r8y } = Point.fromBytes(bytes.subarray(0, POINT_BYTES)).toAffine();
  return { r8x, r8y, s: scalars.fromBytes(bytes.subarray(POINT_BYTES)) };
}

/** @throws CLI_GROUP_INVALID if a group of these bounds is none */
export function checkBounds(threshold: number, memberCount: number): void {
  if (threshold >= MIN_THRESHOLD && threshold <= memberCount && memberCount <= MAX_MEMBERS) return;
  throw clientError(
    "CLI_GROUP_INVALID",
    `a group has ${MIN_THRESHOLD} to ${MAX_MEMBERS} members, of whom at least ${MIN_THRESHOLD} sign, not ${threshold} of ${memberCount}`,
    { data: { reason: "bounds", threshold, memberCount } },
  );
}

/** CLI_GROUP_INVALID. @param reason one word for what is wrong, as `data.reason` */
export const groupInvalid = (reason: string, message: string, cause?: unknown) =>
  clientError("CLI_GROUP_INVALID", message, { data: { reason }, cause });
