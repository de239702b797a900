/**
 * Queries by which a model's rows are scored and paid, of language models (features) and of direct, logistic ones
 * (direct-query.ts), their commitments, and the receipts of answers: what a payment binds and a settlement opens.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { shake256 } from "@noble/hashes/sha3.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { circuitError } from "../circuit-errors.ts";
import { toBytesBe } from "../field/element-vector.ts";
import { hashTagged } from "../field/poseidon.ts";
import { FIELD_ORDER, TAG } from "../protocol.ts";
import {
  type DirectQuery,
  decodeDirectQuery,
  directQueryCommitment,
  encodeDirectQuery,
} from "./direct-query.ts";

/** Largest magnitude of a query's entry. */
const MAX_QUERY = 255;
/** Base-4 digits of an entry, each ±1 or ±3. */
const QUERY_DIGITS = 4;
/** Bytes in a field element. */
const PACKED_BYTES = 31;
/** Elements absorbed by one hash of 16 inputs, besides the chain's own. */
const CHUNK = 15;

/**
 * The digits e of q = Σ 4^i e_i, e_i ∈ {±1, ±3}, lowest first. Every odd number from −255 to 255 has exactly one form.
 *
 * @throws CIR_QUERY_INVALID for even numbers and others
 */
export function queryDigits(entry: number): number[] {
  // q + 255 = Σ 4^i (e_i + 3), and (e_i + 3) / 2 is 0 … 3.
  const digits = queryDigitBits(entry);
  return Array.from({ length: QUERY_DIGITS }, (_, i) => 2 * ((digits >> (2 * i)) & 3) - 3);
}

/**
 * An entry as a byte: Σ 4^i (2σ_i + m_i), σ_i = 1 iff e_i > 0, m_i = 1 iff |e_i| = 3.
 *
 * @throws CIR_QUERY_INVALID
 */
export function queryByte(entry: number): number {
  // Of the two bits c of (e + 3) / 2 = 0, 1, 2, 3 for e = −3, −1, 1, 3, the upper is σ; m is 1 for 0 and 3.
  const bits = queryDigitBits(entry);
  const upper = (bits >> 1) & 0x55;
  const m = ~(upper ^ bits) & 0x55;
  return (upper << 1) | m;
}

/** @throws CIR_QUERY_INVALID */
export function queryBytes(q: Int16Array): Uint8Array {
  return Uint8Array.from(q, queryByte);
}

/** The query that `queryBytes` has written: every byte is an odd number. */
function queryOfBytes(bytes: Uint8Array): Int16Array {
  return Int16Array.from(bytes, (byte) => {
    let entry = 0;
    for (let i = QUERY_DIGITS - 1; i >= 0; i--) {
      const digit = byte >> (2 * i);
      entry = 4 * entry + (digit & 2 ? 1 : -1) * (digit & 1 ? 3 : 1);
    }
    return entry;
  });
}

/**
 * 31 bytes an element, lowest first; h = d; for every chunk of 15 elements: h = H[QUERY](h, chunk).
 *
 * @throws CIR_QUERY_INVALID
 */
export function queryCommitment(q: Int16Array): bigint {
  const bytes = queryBytes(q);
  if (bytes.length === 0) throw circuitError("CIR_QUERY_INVALID", "a query has at least one entry");
  const elements: bigint[] = [];
  for (let at = 0; at < bytes.length; at += PACKED_BYTES) {
    elements.push(
      bytes.subarray(at, at + PACKED_BYTES).reduceRight((packed, byte) => (packed << 8n) | BigInt(byte), 0n),
    );
  }
  let hash = BigInt(bytes.length);
  for (let at = 0; at < elements.length; at += CHUNK) {
    const chunk = elements.slice(at, at + CHUNK);
    hash = hashTagged(TAG.query, [hash, ...chunk, ...new Array<bigint>(CHUNK - chunk.length).fill(0n)]);
  }
  return hash;
}

function queryDigitBits(entry: number): number {
  if (!Number.isInteger(entry) || Math.abs(entry) > MAX_QUERY || entry % 2 === 0) {
    throw circuitError("CIR_QUERY_INVALID", `a query's entry is odd, from −255 to 255, not ${entry}`, {
      data: { entry },
    });
  }
  return (entry + MAX_QUERY) / 2;
}

/**
 * Query of an answer, bound by its receipt: columnCount odd numbers, or a prompt's counts with the answered
 * class.
 */
export type ModelQuery = Int16Array | DirectQuery;

export const isDirectQuery = (query: ModelQuery): query is DirectQuery => !(query instanceof Int16Array);

/** Encodes a query for an opening. @throws CIR_QUERY_INVALID, CIR_SETTLEMENT_SIZE */
export const modelQueryBytes = (query: ModelQuery): Uint8Array =>
  isDirectQuery(query) ? encodeDirectQuery(query) : queryBytes(query);

/**
 * Commitment to a query, which receipts hash. Needs `initPoseidon`. @throws CIR_QUERY_INVALID,
 * CIR_SETTLEMENT_SIZE
 */
export const modelQueryCommitment = (query: ModelQuery): bigint =>
  isDirectQuery(query) ? directQueryCommitment(query) : queryCommitment(query);

/** @param isOfDirect whether the model is direct: the bytes do not say. @throws CIR_QUERY_INVALID */
export const modelQueryOfBytes = (bytes: Uint8Array, isOfDirect: boolean): ModelQuery =>
  isOfDirect ? decodeDirectQuery(bytes) : queryOfBytes(bytes);

/**
 * Opening of an answer's receipt (docs/reference/settlement.md). All fields are field elements; `payerId` is
 * a leaf's 24-bit id.
 */
export interface ReceiptOpening {
  /** The hash of the model's statics. */
  readonly statics: bigint;
  readonly payerId: number;
  /** `answerHash(prompt, answer)`. */
  readonly answerHash: bigint;
  readonly queryCommitment: bigint;
  /** Random salt, so that nobody finds prompt and answer by trial. */
  readonly salt: bigint;
}

/** SHA-256(length of the prompt in bytes as big-endian uint32, prompt, answer) mod r; both texts as UTF-8. */
export function answerHash(prompt: string, answer: string): bigint {
  const encoder = new TextEncoder();
  const promptBytes = encoder.encode(prompt);
  const answerBytes = encoder.encode(answer);
  const message = new Uint8Array(4 + promptBytes.length + answerBytes.length);
  new DataView(message.buffer).setUint32(0, promptBytes.length);
  message.set(promptBytes, 4);
  message.set(answerBytes, 4 + promptBytes.length);
  return toField(sha256(message));
}

/** H[RECEIPT](statics, payer, answerHash, queryCommitment, salt): what PayInference carries. Needs `initPoseidon`. */
export function receiptHash(opening: ReceiptOpening): bigint {
  const { statics, payerId, queryCommitment, salt } = opening;
  return hashTagged(TAG.receipt, [statics, BigInt(payerId), opening.answerHash, queryCommitment, salt]);
}

/**
 * Message that a customer signs to ask a model: SHA-256("OpenLedger ask v1", domain, model as uint32, payer
 * as uint32, prompt as UTF-8) mod r, all big-endian. It is no Poseidon hash, so it signs no operation.
 * Attack: without the signature anyone could use up an account's only unpaid answer.
 */
export function askMessage(ask: {
  readonly domain: bigint;
  readonly modelId: number;
  readonly payerId: number;
  readonly prompt: string;
  /**
   * Private ask: only the server may see the prompt, even if its payment is drawn. The message begins with
   * "OpenLedger private ask v1".
   */
  readonly isPrivate?: boolean;
}): bigint {
  const encoder = new TextEncoder();
  const head = encoder.encode(ask.isPrivate === true ? "OpenLedger private ask v1" : "OpenLedger ask v1");
  const prompt = encoder.encode(ask.prompt);
  const message = new Uint8Array(head.length + 40 + prompt.length);
  message.set(head);
  const view = new DataView(message.buffer, head.length, 40);
  for (let i = 0; i < 4; i++)
    view.setBigUint64(8 * i, (ask.domain >> BigInt(192 - 64 * i)) & (2n ** 64n - 1n));
  view.setUint32(32, ask.modelId);
  view.setUint32(36, ask.payerId);
  message.set(prompt, head.length + 40);
  return toField(sha256(message));
}

function toField(digest: Uint8Array): bigint {
  return digest.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) % FIELD_ORDER;
}

/**
 * An answer sealed with its receipt's salt, or opened again: bytes xor SHAKE256("openledger sealed answer" ‖ salt, 32
 * bytes big-endian). A salt seals one answer. Anyone who settles the receipt's payment has to know the salt.
 */
export function sealedBytes(salt: bigint, bytes: Uint8Array): Uint8Array {
  const seed = concatBytes(utf8ToBytes("openledger sealed answer"), toBytesBe(salt, 32));
  const stream = shake256(seed, { dkLen: bytes.length });
  return bytes.map((byte, i) => byte ^ stream[i]!);
}
