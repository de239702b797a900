/**
 * Operations of the ledger: the form of signed ones and of L1's queue, and the message that a signature covers
 * (docs/reference/ledger.md). Clients build them, the sequencer checks and executes them.
 */
import { hex32 } from "@openledger/foundation/hex";
import { operationError } from "../circuit-errors.ts";
import type { OperationMessage, Signature } from "../field/curve/eddsa.ts";
import { type HashRequest, hashTagged, hashTaggedMany } from "../field/poseidon.ts";
import {
  AMOUNT_BITS,
  FEE_PER_UNIT_BITS,
  FIELD_ORDER,
  KIND,
  kindRule,
  MAX_AMOUNT_WEI,
  MAX_LEAF_COUNT,
  MESSAGE_CORE,
  NONCE_BITS,
  REFERENCE,
  TAG,
  WIDE_WORD_COUNT,
} from "../protocol.ts";
import { inRange, refuse } from "./leaf-rules.ts";

/** Operation signed by a user. `b` is 0 for Create kinds: execution assigns the id. */
export interface SignedOperation {
  /** Kind of the operation, of KIND. */
  readonly kind: number;
  /** Id of leaf A, whose key signs. */
  readonly a: number;
  /** Id of leaf B. */
  readonly b: number;
  /** 40-bit code: a decimal float of wei, or CommitData's row count. */
  readonly amountCode: bigint;
  readonly words: readonly bigint[];
  readonly nonce: bigint;
  readonly maxFeePerUnitWei: bigint;
  readonly signature: Signature;
}

export type UnsignedOperation = Omit<SignedOperation, "signature">;

/** An entry of the L1 queue, as L1 hashed and stored it. Unused `a`, `b` and words are 0. */
export interface QueueOperation {
  readonly kind: number;
  readonly queueIndex: number;
  readonly a: number;
  readonly b: number;
  readonly amountWei: bigint;
  readonly word1: bigint;
  readonly word2: bigint;
  /**
   * Words posted after the sender, only for the kind that has them: a ForcedPublishVersion's payeeRoot and
   * policy.
   */
  readonly word3: bigint;
  readonly word4: bigint;
  readonly sender: bigint;
}

/** Entry that a user requests. Fields that its kind does not use may be left out. */
export type EntryRequest = Pick<QueueOperation, "kind"> &
  Partial<Omit<QueueOperation, "kind" | "queueIndex" | "sender">>;

/** Queue entry as the contract's struct. */
export type ContractEntry = Readonly<Record<keyof EntryRequest, bigint>>;

export function toContractEntry({ kind, a = 0, b = 0, ...given }: EntryRequest): ContractEntry {
  const { amountWei = 0n, word1 = 0n, word2 = 0n, word3 = 0n, word4 = 0n } = given;
  return { kind: BigInt(kind), a: BigInt(a), b: BigInt(b), amountWei, word1, word2, word3, word4 };
}

/**
 * Packs the bRef of a message, B's owner and kind when the user signed. A message without B, or with a new one, has
 * 0.
 */
export function leafReference(leaf: { l1Owner: bigint; kind: number }): bigint {
  return leaf.l1Owner | (BigInt(leaf.kind) << REFERENCE.kind);
}

/** Words padded with 0 to the length of a wide slot. */
export function padWords(words: readonly bigint[]): bigint[] {
  return Array.from({ length: WIDE_WORD_COUNT }, (_, i) => words[i] ?? 0n);
}

export interface MessageContext {
  readonly domain: bigint;
  readonly bRef: bigint;
}

interface KnownMessage {
  readonly message: OperationMessage;
  hash?: bigint;
  name?: `0x${string}`;
}

/** Cache of each frozen operation's last message: the sequencer needs most of them twice. */
const messages = new WeakMap<object, KnownMessage>();

/** Hash of the signed message, which names the operation. @throws OP_UNKNOWN_KIND */
export function messageHash(operation: UnsignedOperation, context: MessageContext): bigint {
  const known = knownMessage(operation, context);
  known.hash ??= hashTagged(...nameRequest(known));
  return known.hash;
}

/** `messageHash` as 32 bytes of hex. @throws OP_UNKNOWN_KIND */
export function messageName(operation: UnsignedOperation, context: MessageContext): `0x${string}` {
  const known = knownMessage(operation, context);
  known.name ??= hex32(messageHash(operation, context));
  return known.name;
}

const nameRequest = ({ message: [domain, parts] }: KnownMessage): HashRequest => [
  TAG.message,
  [domain, ...parts],
];

/**
 * Computes the names of frozen operations together and caches them for `messageHash`. @throws OP_UNKNOWN_KIND
 */
export function hashMessages(
  operations: readonly { readonly operation: SignedOperation; readonly context: MessageContext }[],
): void {
  const unnamed = operations
    .map(({ context, operation }) => knownMessage(operation, context))
    .filter(({ hash }) => hash === undefined);
  const hashes = hashTaggedMany(unnamed.map(nameRequest));
  for (const [i, known] of unnamed.entries()) known.hash = hashes[i]!;
}

/** Message that the signer signs (docs/reference/ledger.md, "Message signed"). @throws OP_UNKNOWN_KIND */
export function operationMessage(operation: UnsignedOperation, context: MessageContext): OperationMessage {
  return knownMessage(operation, context).message;
}

function knownMessage(operation: UnsignedOperation, context: MessageContext): KnownMessage {
  const known = messages.get(operation);
  if (known?.message[0] === context.domain && known.message[1][1] === context.bRef) return known;
  const built: KnownMessage = { message: buildMessage(operation, context) };
  if (Object.isFrozen(operation) && Object.isFrozen(operation.words)) messages.set(operation, built);
  return built;
}

function buildMessage(operation: UnsignedOperation, context: MessageContext): OperationMessage {
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
  return [context.domain, [core, context.bRef, w]];
}

/**
 * Checks the form of a signed operation, everything that needs no state.
 * @throws OP_UNKNOWN_KIND, OP_MALFORMED
 */
export function checkForm(operation: UnsignedOperation): void {
  const rule = kindRule(operation.kind);
  if (!rule?.isSigned)
    refuse("OP_UNKNOWN_KIND", `kind ${operation.kind} is not a signed operation`, { kind: operation.kind });
  const malformed = (field: string, why: string) =>
    refuse("OP_MALFORMED", `${field} ${why}`, { field, kind: rule.name });
  const isId = (id: number) => Number.isInteger(id) && id >= 0 && id < MAX_LEAF_COUNT;
  if (!isId(operation.a)) malformed("a", "is not a 24-bit id");
  if (!isId(operation.b)) malformed("b", "is not a 24-bit id");
  if ((!rule.usesB || rule.isCreate) && operation.b !== 0) malformed("b", "must be 0 for this kind");
  if (!inRange(operation.amountCode, 40)) malformed("amountCode", "is not 40 bits");
  if (!rule.movesAmount && operation.kind !== KIND.commitData && operation.amountCode !== 0n) {
    malformed("amountCode", "must be 0 for this kind");
  }
  if (!inRange(operation.nonce, NONCE_BITS)) malformed("nonce", "is not 40 bits");
  if (!inRange(operation.maxFeePerUnitWei, FEE_PER_UNIT_BITS))
    malformed("maxFeePerUnitWei", "is not 64 bits");
  if (operation.words.length !== rule.wordCount) malformed("words", `must be ${rule.wordCount}`);
  for (const [i, word] of operation.words.entries()) {
    if (word < 0n || word >= FIELD_ORDER) malformed(`words[${i}]`, "is not below the field's order");
  }
  const word = (i: number) => operation.words[i]!;
  if (rule.isCreate && (word(0) === 0n || !inRange(word(0), 160)))
    malformed("words[0]", "is not an L1 address");
  if (operation.kind === KIND.createModel && !inRange(word(6), AMOUNT_BITS + 32))
    malformed("words[6]", "is not a 96-bit price and a 32-bit split");
  if (operation.kind === KIND.createModel && (word(6) & MAX_AMOUNT_WEI) === 0n)
    malformed("words[6]", "has no price: payments of nothing would fill an epoch");
  if (operation.kind === KIND.claimRewards && !inRange(word(0), 13))
    malformed("words[0]", "is not a payee index of 12 bits and a role above it");
  if (operation.kind === KIND.withdraw) {
    if (word(0) === 0n || !inRange(word(0), 160)) malformed("words[0]", "is not an L1 address");
    if (!inRange(word(1), AMOUNT_BITS)) malformed("words[1]", "is not a 96-bit amount");
  }
  if (operation.kind === KIND.publishVersion && !inRange(word(3), 32))
    malformed("words[3]", "is not a 32-bit row count");
}
