/**
 * Constants of bn254 for keys, proofs and witnesses: its two fields, Montgomery's factor, roots of unity, and
 * elements as 32 little-endian bytes.
 */
import { powMod } from "@openledger/foundation/modular";

/** Order of the groups, the circuits' field. */
export const scalarModulus = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
/** Field of the curve's coordinates. */
export const baseModulus = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
/** Bytes of a field element. */
export const fieldBytes = 32;
/** R of Montgomery's form in zkey files. */
export const montgomeryR = 1n << 256n;
/** 2^28 is the largest power of two that divides scalarModulus - 1. */
export const twoAdicity = 28;

/** 32 bytes, little-endian, of a value below 2^256. */
export function toBytesLe(value: bigint): Uint8Array {
  const bytes = new Uint8Array(fieldBytes);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4; i++) view.setBigUint64(8 * i, value >> BigInt(64 * i), true);
  return bytes;
}

export function fromBytesLe(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [value, at] = [0n, bytes.length];
  while (at % 8 > 0) value = (value << 8n) | BigInt(bytes[--at]!);
  for (at -= 8; at >= 0; at -= 8) value = (value << 64n) | view.getBigUint64(at, true);
  return value;
}

/** A generator of the 2^power-th roots of unity: the one that circom's and snarkjs' transforms use. */
export function rootOfUnity(power: number): bigint {
  // 5 is the smallest non-residue of the scalar field.
  return powMod(5n, (scalarModulus - 1n) >> BigInt(power), scalarModulus);
}
