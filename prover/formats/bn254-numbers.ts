/** What the formats of keys, proofs and witnesses say about bn254: its fields, and their elements as bytes. */
import { powMod } from "@openledger/circuits/field/modular";

/** Order of the groups, the circuits' field. */
export const scalarModulus = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
/** Field of the curve's coordinates. */
export const baseModulus = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
export const fieldBytes = 32;
export const montgomeryR = 1n << 256n;
/** 2^28 is the largest power of two that divides scalarModulus - 1. */
export const twoAdicity = 28;

/** 32 bytes, little-endian, of a value below 2^256. */
export function toBytesLe(value: bigint): Uint8Array {
  const bytes = new Uint8Array(fieldBytes);
  for (let i = 0, rest = value; i < fieldBytes; i++, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

export function fromBytesLe(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}

/** A generator of the 2^power-th roots of unity: the one that circom's and snarkjs' transforms use. */
export function rootOfUnity(power: number): bigint {
  // 5 is the smallest non-residue of the scalar field.
  return powMod(5n, (scalarModulus - 1n) >> BigInt(power), scalarModulus);
}
