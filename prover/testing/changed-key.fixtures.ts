/** Proving keys that are changed at one wire, for tests of what a back end takes for the blinding of A. */
import { toBytesLe } from "../formats/bn254-numbers.ts";
import { g1Bytes, zkeySection } from "../formats/zkey-layout.ts";

const COEFFICIENT_BYTES = 44;

export interface KeyChange {
  /** Value of the wire's one entry in A, in the key's form; default: as it is. */
  readonly value?: bigint;
  /** false puts the wire's point in A at infinity; default: true. */
  readonly hasPoint?: boolean;
  /** Wires whose points in C are put at infinity; default: none. */
  readonly withoutC?: readonly number[];
}

/** @returns the changed key */
export function changeKey(
  key: Uint8Array,
  wire: number,
  { value, hasPoint = true, withoutC = [] }: KeyChange,
): Buffer {
  const bytes = Buffer.from(key);
  const places = new Map<number, number>();
  for (let at = 12, left = bytes.readUInt32LE(8); left > 0; left--) {
    places.set(bytes.readUInt32LE(at), at + 12);
    at += 12 + Number(bytes.readBigUInt64LE(at + 4));
  }
  const coefficients = places.get(zkeySection.coefficients)!;
  const entries: number[] = [];
  for (let i = 0; i < bytes.readUInt32LE(coefficients); i++) {
    const entry = coefficients + 4 + COEFFICIENT_BYTES * i;
    if (bytes.readUInt32LE(entry) === 0 && bytes.readUInt32LE(entry + 8) === wire) entries.push(entry);
  }
  if (entries.length !== 1) throw new Error(`wire ${wire} has ${entries.length} entries in A`);
  if (value !== undefined) bytes.set(toBytesLe(value), entries[0]! + 12);
  const dropPoint = (section: number, index: number) => {
    const at = places.get(section)! + g1Bytes * index;
    bytes.fill(0, at, at + g1Bytes);
  };
  if (!hasPoint) dropPoint(zkeySection.a, wire);
  // The header has both moduli before its counts; C has points of private wires alone.
  const publicCount = bytes.readUInt32LE(places.get(zkeySection.header)! + 2 * (4 + 32) + 4);
  for (const each of withoutC) dropPoint(zkeySection.c, each - publicCount - 1);
  return bytes;
}
