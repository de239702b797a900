/**
 * Data of a batch that L1 has: header and slots (one for each operation), their packing into field elements for the circuit and
 * the contract, and the bytes posted to L1 (docs/reference/ledger.md, "Batch data"). The sequencer encodes; whoever replays L1
 * decodes.
 */
import { circuitError } from "../circuit-errors.ts";
import { concatBytes, fromBytesBe, toBytesBe } from "../field/element-vector.ts";
import { decodeAmount } from "../ledger/amount-float.ts";
import {
  type BatchShape,
  FIELD_ORDER,
  isBlobShape,
  KIND,
  kindRule,
  NARROW_CORE,
  WIDE_CORE,
  WIDE_WORD_COUNT,
} from "../protocol.ts";

/** Posted data of one slot. `words` has exactly the kind's number of words. */
export interface SlotRecord {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly amountCode: bigint;
  /** Queue operations only: it was executed. */
  readonly isValid: boolean;
  readonly words: readonly bigint[];
}

/** Reads the payment that a record posts, signed or executed from the queue; null for another record. */
export function postedPayment({ a, amountCode, isValid, kind, words }: SlotRecord) {
  if (kind === KIND.payInference)
    return { receipt: words[0]!, payerId: a, amountWei: decodeAmount(amountCode) };
  if (kind !== KIND.forcedPayInference || !isValid) return null;
  // L1 queues no payment of everything.
  return { receipt: words[2]!, payerId: a, amountWei: words[0]! };
}

/** The fields of a batch that the submitter chooses and posts. */
export interface PostedHeader {
  readonly newRoot: bigint;
  /** Unix time in seconds. */
  readonly timestamp: bigint;
  readonly newNextId: number;
  readonly feeAccountId: number;
  readonly feePerUnitWei: bigint;
  readonly signedCount: number;
}

/** The fields that L1 fills from its own state. */
export interface L1Header {
  readonly domain: bigint;
  readonly oldRoot: bigint;
  readonly batchNumber: bigint;
  readonly firstOpIndex: bigint;
  readonly oldNextId: number;
  readonly idFeeWei: bigint;
}

/** A whole batch: header, shape, slots. */
export interface BatchData extends PostedHeader, L1Header {
  readonly shape: BatchShape;
  /**
   * Narrow slots up to the last used one. The rest of each section is null, so null slots may stand between
   * the table's two sections.
   */
  readonly narrow: readonly SlotRecord[];
  readonly wide: readonly SlotRecord[];
}

/** Data of an unused slot. */
export const NULL_RECORD: SlotRecord = { kind: 0, a: 0, b: 0, amountCode: 0n, isValid: false, words: [] };

/** Packs a narrow slot's core, 92 bits: kind 4, a 24, b 24, amount 40, from the lowest bit up. */
function narrowCore(slot: SlotRecord): bigint {
  return (
    BigInt(slot.kind) |
    (BigInt(slot.a) << NARROW_CORE.a) |
    (BigInt(slot.b) << NARROW_CORE.b) |
    (slot.amountCode << NARROW_CORE.amount)
  );
}

/** Packs a wide slot's core, 94 bits: kind 5, a 24, b 24, amount 40, validity 1, from the lowest bit up. */
function wideCore(slot: SlotRecord): bigint {
  return (
    BigInt(slot.kind) |
    (BigInt(slot.a) << WIDE_CORE.a) |
    (BigInt(slot.b) << WIDE_CORE.b) |
    (slot.amountCode << WIDE_CORE.amount) |
    (BigInt(slot.isValid) << WIDE_CORE.valid)
  );
}

/** Cores of the narrow slots, two to an element. */
export function narrowPairs(batch: Pick<BatchData, "shape" | "narrow">): bigint[] {
  const cores = Array.from({ length: batch.shape.narrow }, (_, i) =>
    narrowCore(batch.narrow[i] ?? NULL_RECORD),
  );
  return Array.from({ length: batch.shape.narrow / 2 }, (_, i) => cores[2 * i]! | (cores[2 * i + 1]! << 92n));
}

/** The header's five elements; `numbers` holds eight fields at the bit places of docs/reference/ledger.md. */
function headerElements(batch: BatchData): bigint[] {
  const numbers =
    batch.batchNumber |
    (batch.timestamp << 40n) |
    (batch.firstOpIndex << 80n) |
    (BigInt(batch.oldNextId) << 120n) |
    (BigInt(batch.newNextId) << 145n) |
    (BigInt(batch.feeAccountId) << 170n) |
    (BigInt(batch.signedCount) << 194n) |
    (BigInt(postedPayloads(batch).length) << 210n);
  return [batch.domain, batch.oldRoot, batch.newRoot, numbers, batch.feePerUnitWei | (batch.idFeeWei << 64n)];
}

const wideCores = ({ shape, wide }: BatchData): bigint[] =>
  Array.from({ length: shape.wide }, (_, i) => wideCore(wide[i] ?? NULL_RECORD));

const payloads = (batch: BatchData): bigint[] => batch.narrow.flatMap((slot) => slot.words);
/** Payloads in the calldata; empty if they are in a blob. */
const postedPayloads = (batch: BatchData): bigint[] => (isBlobShape(batch.shape) ? [] : payloads(batch));

/**
 * Elements E that L1 evaluates: fixed places, then the running part (docs/reference/ledger.md, "Batch data").
 * Data in a blob is not part of E.
 */
export function batchElements(batch: BatchData): bigint[] {
  const elements = [
    ...headerElements(batch),
    ...(isBlobShape(batch.shape) ? [] : narrowPairs(batch)),
    ...wideCores(batch),
    ...postedPayloads(batch),
    ...batch.wide.flatMap((slot) => slot.words),
  ];
  for (const [place, element] of elements.entries()) {
    if (element < 0n || element >= FIELD_ORDER) {
      throw circuitError("CIR_WIRE_MALFORMED", `element ${place} is not below r`, {
        data: { reason: "element-not-canonical", place, element: element.toString() },
      });
    }
  }
  return elements;
}

/** Elements that C absorbs unchanged: header and wide slots, every one in a fixed place. */
export function absorbedPosted(batch: BatchData): bigint[] {
  return [
    ...headerElements(batch),
    ...wideCores(batch),
    ...Array.from({ length: batch.shape.wide }, (_, i) => batch.wide[i]).flatMap((slot) =>
      Array.from({ length: WIDE_WORD_COUNT }, (_, j) => slot?.words[j] ?? 0n),
    ),
  ];
}

/**
 * Length of a blob's opening at the end of the posted bytes: value at z (32), commitment (48), proof (48).
 * See docs/explanation/data-availability.md.
 */
export const BLOB_OPENING_BYTES = 32 + 48 + 48;

/**
 * Encodes the bytes that are posted to L1. The last slot must not be a null slot. The longest run of empty
 * pairs is not posted. A batch with a blob posts no pairs and no payloads.
 * @param opening of the blob, 128 bytes; empty if the batch has no blob
 * @throws RangeError if `opening` has another length
 */
export function encodeWire(batch: BatchData, opening: Uint8Array = new Uint8Array()): Uint8Array {
  const isBlob = isBlobShape(batch.shape);
  if (opening.length !== (isBlob ? BLOB_OPENING_BYTES : 0))
    throw new RangeError("the opening of a blob has to be given where a batch has one, and only there");
  const pairs = isBlob ? [] : narrowPairs(batch).slice(0, Math.ceil(batch.narrow.length / 2));
  const gap = longestGap(pairs);
  const posted = [...pairs.slice(0, gap.at), ...pairs.slice(gap.at + gap.count)];
  return concatBytes([
    toBytesBe(batch.newRoot, 32),
    toBytesBe(batch.timestamp, 5),
    toBytesBe(BigInt(batch.newNextId), 4),
    toBytesBe(BigInt(batch.feeAccountId), 3),
    toBytesBe(batch.feePerUnitWei, 8),
    toBytesBe(BigInt(batch.signedCount), 2),
    toBytesBe(BigInt(postedPayloads(batch).length), 2),
    toBytesBe(BigInt(posted.length), 2),
    toBytesBe(BigInt(gap.at), 2),
    toBytesBe(BigInt(gap.count), 2),
    Uint8Array.of(batch.wide.length),
    ...posted.map((pair) => toBytesBe(pair, 23)),
    ...batch.wide.map((slot) => toBytesBe(wideCore(slot), 12)),
    ...postedPayloads(batch).map((word) => toBytesBe(word, 32)),
    ...batch.wide.flatMap((slot) => slot.words.map((word) => toBytesBe(word, 32))),
    opening,
  ]);
}

/** Finds the longest run of empty pairs. Returns an empty run after the last pair if no pair is empty. */
function longestGap(pairs: readonly bigint[]): { at: number; count: number } {
  let longest = { at: pairs.length, count: 0 };
  let count = 0;
  for (const [i, pair] of pairs.entries()) {
    count = pair === 0n ? count + 1 : 0;
    if (count > longest.count) longest = { at: i + 1 - count, count };
  }
  return longest;
}

const field = (value: bigint, from: number, width: number): bigint =>
  (value >> BigInt(from)) & ((1n << BigInt(width)) - 1n);

/**
 * Decodes posted bytes, given L1's state when it accepted them. The batch has no narrow slots if they are in
 * a blob: `recordsOfBlob` reads those.
 * @throws CIR_WIRE_MALFORMED for bytes that no batch on L1 has: the contract or the proof refuses them
 */
export function decodeWire(wire: Uint8Array, shape: BatchShape, l1: L1Header): BatchData {
  let at = 0;
  const take = (length: number): bigint => {
    if (at + length > wire.length) throw malformed("the data ends too early");
    at += length;
    return fromBytesBe(wire.subarray(at - length, at));
  };
  const malformed = (why: string) =>
    circuitError("CIR_WIRE_MALFORMED", `batch ${l1.batchNumber}: ${why} (byte ${at} of ${wire.length})`, {
      data: { batchNumber: l1.batchNumber.toString(), byte: at, sizeBytes: wire.length },
    });

  const header = {
    newRoot: take(32),
    timestamp: take(5),
    newNextId: Number(take(4)),
    feeAccountId: Number(take(3)),
    feePerUnitWei: take(8),
    signedCount: Number(take(2)),
  };
  const payloadCount = Number(take(2));
  const pairCount = Number(take(2));
  const gapAt = Number(take(2));
  const gapCount = Number(take(2));
  const wideCount = Number(take(1));
  const isBlob = isBlobShape(shape);
  if ((pairCount + gapCount) * 2 > (isBlob ? 0 : shape.narrow) || wideCount > shape.wide)
    throw malformed("more slots than the circuit has");
  if (gapAt > pairCount || (gapCount === 0) !== (gapAt === pairCount))
    throw malformed("a gap that is not between two pairs");

  const narrowHeads: SlotRecord[] = [];
  for (let i = 0; i < pairCount; i++) {
    if (i === gapAt) narrowHeads.push(...Array<SlotRecord>(2 * gapCount).fill(NULL_RECORD));
    const pair = take(23);
    for (const core of [field(pair, 0, 92), pair >> 92n]) {
      narrowHeads.push({
        kind: Number(field(core, 0, 4)),
        a: Number(field(core, 4, 24)),
        b: Number(field(core, 28, 24)),
        amountCode: core >> 52n,
        isValid: false,
        words: [],
      });
    }
  }
  const wideHeads: SlotRecord[] = [];
  for (let i = 0; i < wideCount; i++) {
    const core = take(12);
    if (core >> 94n !== 0n) throw malformed("a wide core has more than 94 bits");
    wideHeads.push({
      kind: Number(field(core, 0, 5)),
      a: Number(field(core, 5, 24)),
      b: Number(field(core, 29, 24)),
      amountCode: field(core, 53, 40),
      isValid: field(core, 93, 1) === 1n,
      words: [],
    });
  }
  const withWords = (slot: SlotRecord, isNarrow: boolean): SlotRecord => {
    const rule = kindRule(slot.kind);
    if (rule === undefined || (isNarrow && !rule.isNarrow))
      throw malformed(`kind ${slot.kind} has no place here`);
    // Trailing nulls are dropped below, and nothing may go with them.
    const isEmpty = slot.a === 0 && slot.b === 0 && slot.amountCode === 0n && !slot.isValid;
    if (slot.kind === NULL_RECORD.kind && !isEmpty) throw malformed("a null slot has fields");
    return { ...slot, words: Array.from({ length: rule.wordCount }, () => take(32)) };
  };
  const narrow = narrowHeads.map((slot) => withWords(slot, true));
  const wide = wideHeads.map((slot) => withWords(slot, false));
  while (narrow.at(-1)?.kind === 0) narrow.pop();
  if (isBlob) take(BLOB_OPENING_BYTES);
  if (at !== wire.length) throw malformed("bytes are left over");
  if (narrow.reduce((sum, slot) => sum + slot.words.length, 0) !== payloadCount) {
    throw malformed(`payloadCount ${payloadCount} is not what the kinds say`);
  }
  // Posted fields win: a caller's object may hold more than L1's fields.
  return { ...l1, ...header, shape, narrow, wide };
}
