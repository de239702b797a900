/** Writer of snarkjs' witness files (.wtns), which every back end takes as its input. */
import { scalarModulus, toBytesLe } from "./bn254-numbers.ts";

/** Bytes before the values: file head, section head, field and count, section head. */
const headBytes = 12 + 12 + 40 + 12;

/**
 * Lays out a .wtns file: section 1 with the field and the number of values, section 2 with the values, 32 little-endian
 * bytes each. `values` is the part of `bytes` that is to be filled.
 */
export function layOutWitness(valueCount: number): {
  bytes: Uint8Array<ArrayBuffer>;
  values: Uint8Array<ArrayBuffer>;
} {
  const bytes = Buffer.from(new ArrayBuffer(headBytes + 32 * valueCount));
  bytes.write("wtns", 0, "latin1");
  bytes.writeUInt32LE(2, 4);
  bytes.writeUInt32LE(2, 8);
  bytes.writeUInt32LE(1, 12);
  bytes.writeBigUInt64LE(40n, 16);
  bytes.writeUInt32LE(32, 24);
  bytes.set(toBytesLe(scalarModulus), 28);
  bytes.writeUInt32LE(valueCount, 60);
  bytes.writeUInt32LE(2, 64);
  bytes.writeBigUInt64LE(BigInt(32 * valueCount), 68);
  const whole = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  return { bytes: whole, values: whole.subarray(headBytes) };
}

/** Encodes a witness, one field element for each wire. */
export function encodeWitness(values: readonly bigint[]): Uint8Array<ArrayBuffer> {
  const file = layOutWitness(values.length);
  const target = new DataView(file.values.buffer, file.values.byteOffset, file.values.length);
  for (const [i, value] of values.entries()) {
    for (let k = 0, rest = value; k < 4; k++, rest >>= 64n)
      target.setBigUint64(32 * i + 8 * k, BigInt.asUintN(64, rest), true);
  }
  return file.bytes;
}
