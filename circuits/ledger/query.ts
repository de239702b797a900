import { circuitError } from "../circuit-errors.ts";
import { hashTagged } from "../field/poseidon.ts";
import { TAG } from "../protocol.ts";

const MAX_QUERY = 255;
/** Base-4 digits of an entry, each ±1 or ±3. */
const QUERY_DIGITS = 4;
/** Bytes in a field element. */
const PACKED_BYTES = 31;
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
export function queryOfBytes(bytes: Uint8Array): Int16Array {
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
