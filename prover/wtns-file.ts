import { scalarModulus, toBytesLe } from "./bn254-wasm.ts";

/** snarkjs' .wtns file: section 1 with the field and the number of values, section 2 with the values. */
export function encodeWitness(values: readonly bigint[]): Uint8Array<ArrayBuffer> {
  const head = 12 + 12 + 40 + 12;
  const bytes = Buffer.from(new ArrayBuffer(head + 32 * values.length));
  bytes.write("wtns", 0, "latin1");
  bytes.writeUInt32LE(2, 4);
  bytes.writeUInt32LE(2, 8);
  bytes.writeUInt32LE(1, 12);
  bytes.writeBigUInt64LE(40n, 16);
  bytes.writeUInt32LE(32, 24);
  bytes.set(toBytesLe(scalarModulus), 28);
  bytes.writeUInt32LE(values.length, 60);
  bytes.writeUInt32LE(2, 64);
  bytes.writeBigUInt64LE(BigInt(32 * values.length), 68);
  const words = new BigUint64Array(4);
  for (const [i, value] of values.entries()) {
    for (let k = 0, rest = value; k < 4; k++, rest >>= 64n) words[k] = rest;
    for (let k = 0; k < 4; k++) bytes.writeBigUInt64LE(words[k]!, head + 32 * i + 8 * k);
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
