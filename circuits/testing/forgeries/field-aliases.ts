/**
 * Test support: field elements that a missing range check lets through.
 *
 * A check of a scaled, shifted or packed value, say 2^64·v < 2^96, is a statement about the product in the field. It does
 * not say v < 2^32: v = 1/2^64 mod r passes, too, and is a number of 254 bits. So a test of a limit tries not only the
 * first value above it, but these.
 */
import { FIELD_ORDER } from "../../protocol.ts";

const modulo = (x: bigint) => ((x % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
const HALF = (FIELD_ORDER + 1n) / 2n;

/** x / 2^bits in the field. bits: 0 or more. */
export function shiftedDown(x: bigint, bits: number): bigint {
  let result = modulo(x);
  for (let i = 0; i < bits; i++) result = (result * HALF) % FIELD_ORDER;
  return result;
}

/**
 * Field elements that are not below 2^limitBits, without repetition, and so all to be refused where a value must be.
 *
 * @param limitBits the value's width, 0 … 253; 0: only the value 0 is allowed.
 * @param shifts the powers of two that some check or packing multiplies the value with, in bits: 0 … 253.
 */
export function fieldAliases(limitBits: number, shifts: readonly number[]): bigint[] {
  const limit = 1n << BigInt(limitBits);
  const aliases = [limit, -1n, -limit, -(1n << 96n), limit + (1n << 252n)];
  for (const shift of new Set([...shifts, 1, limitBits])) {
    for (const y of [1n, 2n ** 20n + 1n, limit - 1n, limit]) {
      // The shifted check sees y or −y.
      aliases.push(shiftedDown(y, shift), shiftedDown(-y, shift));
    }
    // A carry of one into the neighbour above, or from it.
    aliases.push(limit + (1n << BigInt(shift)), -(1n << BigInt(shift)));
  }
  return [...new Set(aliases.map(modulo))].filter((alias) => alias >= limit);
}
