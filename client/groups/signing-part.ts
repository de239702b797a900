/**
 * The two rounds of a FROST signature: commit to a nonce, sign with it once; and what anyone does with the parts: check each and
 * add them up. signing-session.ts exchanges the messages.
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { type Message, type Signature, verifySignature } from "@openledger/circuits/field/curve/eddsa";
import {
  encodeMessage,
  frost,
  type GroupKeys,
  groupInvalid,
  groupKey,
  type MemberNumber,
  readPoint,
  toLedgerSignature,
} from "./frost-suite.ts";

/** A member's commitment to the nonce of one session. Points are hex. */
export interface NonceCommitment {
  readonly number: MemberNumber;
  readonly hiding: string;
  readonly binding: string;
}

/** A member's share of the group's key. */
export interface KeyShare {
  readonly number: MemberNumber;
  /** Scalar, 32 bytes little-endian. */
  readonly share: Uint8Array;
}

/** A nonce that signs one part, whatever becomes of it. It cannot be stored, copied or used twice. */
export interface SigningNonce {
  readonly commitment: NonceCommitment;
  /**
   * The member's part of the signature. The nonce is erased before anything else happens: also where this throws.
   * @throws CLI_GROUP_INVALID if the nonce was used, or if the list is none of k members with this nonce's commitment
   */
  sign(keys: GroupKeys, list: readonly NonceCommitment[], message: Message): Uint8Array;
  /** Erases the nonce: it signs nothing any more. */
  erase(): void;
}

/** Draws a nonce for one session. Random bytes of the system and the share are hashed, so that a weak source alone gives none away. */
export function createNonce({ number, share }: KeyShare): SigningNonce {
  const secret = { identifier: number, signingShare: share };
  const { nonces, commitments } = frost.commit(secret);
  const commitment = {
    number,
    hiding: bytesToHex(commitments.hiding),
    binding: bytesToHex(commitments.binding),
  };
  let left: typeof nonces | null = nonces;
  const take = () => {
    const taken = left;
    left = null;
    return taken;
  };
  return {
    commitment,
    sign: (keys, list, message) => {
      const own = take();
      if (own === null) throw groupInvalid("nonce-used", "a nonce signs once; begin another session");
      try {
        checkList(keys, list);
        return frost.signShare(secret, keys, own, list.map(toFrost), encodeMessage(message));
      } catch (cause) {
        throw cause instanceof Error && "code" in cause
          ? cause
          : groupInvalid("commitments", "the session's commitments are not this member's", cause);
      } finally {
        own.hiding.fill(0);
        own.binding.fill(0);
      }
    },
    erase: () => {
      const own = take();
      own?.hiding.fill(0);
      own?.binding.fill(0);
    },
  };
}

/**
 * Checks a list of commitments: of exactly k members, each once, each with points of the subgroup.
 * @throws CLI_GROUP_INVALID
 */
export function checkList(keys: GroupKeys, list: readonly NonceCommitment[]): void {
  const numbers = new Set(list.map(({ number }) => number));
  if (numbers.size !== list.length) throw groupInvalid("commitments", "a member is named twice");
  if (list.length !== keys.signers.min)
    throw groupInvalid("commitments", `${keys.signers.min} members sign, not ${list.length}`);
  if (list.some(({ number }) => !Object.hasOwn(keys.verifyingShares, number)))
    throw groupInvalid("commitments", "the list names somebody who is no member");
  if (!list.every(isCommitment))
    throw groupInvalid("commitments", "a commitment is no pair of points of the subgroup");
}

/** True if both are points of the subgroup, not the identity, in their one encoding. */
export function isCommitment({ binding, hiding }: NonceCommitment): boolean {
  try {
    for (const point of [hiding, binding]) readPoint(toBytes(point));
    return true;
  } catch {
    return false;
  }
}

/** True if the part is the member's, for this message and this list. */
export function isPartOf(
  keys: GroupKeys,
  list: readonly NonceCommitment[],
  message: Message,
  part: { readonly number: MemberNumber; readonly part: Uint8Array },
): boolean {
  try {
    checkList(keys, list);
    return frost.verifyShare(keys, list.map(toFrost), encodeMessage(message), part.number, part.part);
  } catch {
    return false;
  }
}

/**
 * Adds checked parts up to the group's signature, and checks it as the ledger does.
 * @throws CLI_GROUP_INVALID if it is none
 */
export function addParts(
  keys: GroupKeys,
  list: readonly NonceCommitment[],
  message: Message,
  parts: ReadonlyMap<MemberNumber, Uint8Array>,
): Signature {
  checkList(keys, list);
  let signature: Signature;
  try {
    signature = toLedgerSignature(
      frost.aggregate(keys, list.map(toFrost), encodeMessage(message), Object.fromEntries(parts)),
    );
  } catch (cause) {
    throw groupInvalid("signature", "the parts add up to no signature", cause);
  }
  const { x: keyX } = groupKey(keys);
  if (!verifySignature({ keyX, message, signature }))
    throw groupInvalid("signature", "the ledger does not take the signature");
  return signature;
}

const toFrost = ({ number, hiding, binding }: NonceCommitment) => ({
  identifier: number,
  hiding: toBytes(hiding),
  binding: toBytes(binding),
});

/** One encoding of a point: 64 lower-case digits. */
function toBytes(hex: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(hex)) throw groupInvalid("point-malformed", "a point is 64 hexadecimal digits");
  return hexToBytes(hex);
}
