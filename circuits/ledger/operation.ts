import type { Signature } from "../field/eddsa.ts";
import { type HashRequest, hashTagged } from "../field/poseidon.ts";
import { operationError } from "../operation-errors.ts";
import { kindRule, MESSAGE_CORE, REFERENCE, TAG, WIDE_WORD_COUNT } from "../protocol.ts";

/** What a user signs. For Create kinds `b` is 0: the id is given when the operation is executed. */
export interface SignedOperation {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  /** 40-bit code: a decimal float of wei, or CommitData's row count. */
  readonly amountCode: bigint;
  readonly words: readonly bigint[];
  readonly nonce: bigint;
  readonly maxFeePerUnitWei: bigint;
  readonly signature: Signature;
}

/** An entry of the L1 queue, as L1 hashed and stored it. Unused `a`, `b` and words are 0. */
export interface QueueOperation {
  readonly kind: number;
  readonly queueIndex: number;
  readonly a: number;
  readonly b: number;
  readonly amountWei: bigint;
  readonly word1: bigint;
  readonly word2: bigint;
  readonly sender: bigint;
}

/** bRef of a message: who B was when the user signed; 0 where B is unused or new. */
export function leafReference(leaf: { l1Owner: bigint; kind: number }): bigint {
  return leaf.l1Owner | (BigInt(leaf.kind) << REFERENCE.kind);
}

export function padWords(words: readonly bigint[]): bigint[] {
  return Array.from({ length: WIDE_WORD_COUNT }, (_, i) => words[i] ?? 0n);
}

interface MessageContext {
  readonly domain: bigint;
  readonly bRef: bigint;
}

/** The last message of each operation that cannot change any more: the sequencer asks twice for most. */
const messages = new WeakMap<object, MessageContext & { readonly hash: bigint }>();

/** The field element that EdDSA signs (docs/reference/ledger.md, "Message signed"). */
export function messageHash(operation: Omit<SignedOperation, "signature">, context: MessageContext): bigint {
  if (!Object.isFrozen(operation) || !Object.isFrozen(operation.words))
    return hashTagged(...messageRequest(operation, context));
  const { domain, bRef } = context;
  const known = messages.get(operation);
  if (known !== undefined && known.domain === domain && known.bRef === bRef) return known.hash;
  const hash = hashTagged(...messageRequest(operation, context));
  messages.set(operation, { domain, bRef, hash });
  return hash;
}

/** What `messageHash` hashes, to be hashed together with others. @throws OP_UNKNOWN_KIND */
export function messageRequest(
  operation: Omit<SignedOperation, "signature">,
  context: MessageContext,
): HashRequest {
  const rule = kindRule(operation.kind);
  if (!rule?.isSigned) {
    throw operationError("OP_UNKNOWN_KIND", `kind ${operation.kind} is not a signed operation`, {
      data: { kind: operation.kind },
    });
  }
  const core =
    BigInt(operation.kind) |
    (BigInt(operation.a) << MESSAGE_CORE.a) |
    (BigInt(operation.b) << MESSAGE_CORE.b) |
    (operation.amountCode << MESSAGE_CORE.amount) |
    (operation.nonce << MESSAGE_CORE.nonce) |
    (operation.maxFeePerUnitWei << MESSAGE_CORE.maxFee);
  const w = rule.isNarrow ? (operation.words[0] ?? 0n) : hashTagged(TAG.words, padWords(operation.words));
  return [TAG.message, [context.domain, core, context.bRef, w]];
}
