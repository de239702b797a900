/** Bytes of leaves, and what they say: big-endian throughout. Reading leaves takes any bytes, since a liar wrote them. */
import { attributionError } from "@openledger/attribution/attribution-errors";

/** @throws ATT_NOT_DISPUTABLE where a number leaves 64 bits */
export function int64Bytes(values: readonly bigint[] | BigInt64Array): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [k, value] of values.entries()) {
    if (BigInt.asIntN(64, value) !== value) {
      throw attributionError("ATT_NOT_DISPUTABLE", `the number ${value} at place ${k} leaves 64 bits`);
    }
    view.setBigInt64(8 * k, value);
  }
  return bytes;
}

/** null where the bytes are not `count` numbers. */
export function readInt64s(bytes: Uint8Array, count: number): bigint[] | null {
  if (bytes.length !== 8 * count) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, k) => view.getBigInt64(8 * k));
}

/** Pairs of two-byte numbers. */
export function pairBytes(pairs: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = new Uint8Array(4 * pairs.length);
  const view = new DataView(bytes.buffer);
  for (const [k, [first, second]] of pairs.entries()) view.setUint32(4 * k, first * 65_536 + second);
  return bytes;
}

/** null where the bytes are no whole pairs. */
export function readPairs(bytes: Uint8Array): [number, number][] | null {
  if (bytes.length % 4 !== 0) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, k) => [
    view.getUint16(4 * k),
    view.getUint16(4 * k + 2),
  ]);
}

/** A double as its bits. */
export const doubleBits = (value: number): bigint => new BigUint64Array(Float64Array.of(value).buffer)[0]!;

export function readFact(bytes: Uint8Array) {
  if (bytes.length !== 32) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    factor: view.getBigUint64(0),
    residual: view.getBigInt64(8),
    pull: view.getBigInt64(16),
    length: view.getUint32(24),
    leader: view.getUint32(28),
  };
}
