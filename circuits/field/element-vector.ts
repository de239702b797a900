/**
 * Proof statement about a vector of field elements (of a batch, a settlement or an exit): its commitment C, the
 * challenge z and the value y at z. Same rules as ElementVector.sol and data-commitment.circom. Every statement
 * is built of it.
 */
import { DATA_CHUNK, FIELD_ORDER, TAG } from "../protocol.ts";
import { hashTagged, keccak256 } from "./poseidon.ts";

/** C: a chain of 16-input Poseidon calls that starts at the length. */
export function dataCommitment(elements: readonly bigint[]): bigint {
  let hash = BigInt(elements.length);
  for (let from = 0; from < elements.length; from += DATA_CHUNK) {
    const chunk = Array.from({ length: DATA_CHUNK }, (_, i) => elements[from + i] ?? 0n);
    hash = hashTagged(TAG.data, [hash, ...chunk]);
  }
  return hash;
}

const CHALLENGE_TAG = keccak256(new TextEncoder().encode("OpenLedger challenge v1"));

const WORD_BYTES = 8;

/** @param value non-negative, below 256^length */
export function toBytesBe(value: bigint, length: number): Uint8Array {
  const words = Math.ceil(length / WORD_BYTES);
  const view = new DataView(new ArrayBuffer(words * WORD_BYTES));
  // Each word keeps the low 64 bits.
  for (let i = words - 1, rest = value; i >= 0; i--, rest >>= 64n) view.setBigUint64(i * WORD_BYTES, rest);
  return new Uint8Array(view.buffer, words * WORD_BYTES - length);
}

/** A big-endian unsigned integer. */
export function fromBytesBe(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = bytes.length % WORD_BYTES;
  let value = 0n;
  for (let i = 0; i < at; i++) value = (value << 8n) | BigInt(bytes[i]!);
  for (; at < bytes.length; at += WORD_BYTES) value = (value << 64n) | view.getBigUint64(at);
  return value;
}

/** The bytes of all parts, one after the other. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * z: fixed by the circuit, C and every element that L1 evaluates, and by the blob where a batch has one.
 *
 * @param versionedHash of the blob, 32 bytes; null if there is none
 */
export function challenge(
  circuitId: bigint,
  commitment: bigint,
  elements: readonly bigint[],
  versionedHash: bigint | null = null,
): bigint {
  const posted = keccak256(concatBytes(elements.map((e) => toBytesBe(e, 32))));
  const elementsHash =
    versionedHash === null ? posted : keccak256(concatBytes([posted, toBytesBe(versionedHash, 32)]));
  const preimage = concatBytes([
    CHALLENGE_TAG,
    toBytesBe(circuitId, 32),
    toBytesBe(commitment, 32),
    elementsHash,
  ]);
  return fromBytesBe(keccak256(preimage)) % FIELD_ORDER;
}

/** y = Σ E_i z^i mod r. */
export function evaluate(elements: readonly bigint[], z: bigint): bigint {
  return elements.reduceRight((sum, element) => (sum * z + element) % FIELD_ORDER, 0n);
}
