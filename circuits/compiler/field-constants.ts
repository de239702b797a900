/**
 * Table of the field constants that a prebuilt circuit's files share, so that each is stored once (prebuilt.ts): R1CS files
 * have them as they are, witness programs in Montgomery form.
 */
import { FIELD_ORDER } from "../protocol.ts";

const PRIME = FIELD_ORDER;
const ELEMENT_BYTES = 32;
const RADIX = (1n << 256n) % PRIME;

/** Constants that circuits have in common, Poseidon's above all. */
export interface SharedConstants {
  readonly values: readonly bigint[];
  /** Likely next constant in code, by the id of the present one. */
  readonly fullNodes: ArrayLike<number>;
  /** Montgomery forms of the values, made as files need them: programs share most of theirs. */
  readonly montgomery: Buffer[];
}

export class FieldConstants {
  readonly #values: bigint[];
  readonly #sharedCount: number;
  #ids: Map<bigint, number> | null = null;

  readonly #fullNodes: ArrayLike<number>;
  readonly #sharedMontgomery: Buffer[];
  readonly #ownMontgomery: Buffer[] = [];

  /** @param own 32 bytes each, little-endian, as `own` gives them */
  constructor(shared: SharedConstants, own: Uint8Array = new Uint8Array()) {
    this.#sharedCount = shared.values.length;
    this.#values = [...shared.values, ...readElements(own)];
    this.#fullNodes = shared.fullNodes;
    this.#sharedMontgomery = shared.montgomery;
  }

  /** Id of the constant that most likely comes next in a program's code. */
  expectedAfter(id: number): number {
    return this.#fullNodes[id] ?? id + 1;
  }

  /** Constants added to the shared ones, 32 bytes each, little-endian. */
  get own(): Uint8Array {
    return writeElements(this.#values.slice(this.#sharedCount));
  }

  get values(): readonly bigint[] {
    return this.#values;
  }

  idOfMontgomery(bytes: Buffer): number {
    return this.#idOf((readElement(bytes, 0) * INVERSE_RADIX) % PRIME);
  }

  writeMontgomery(id: number, out: Buffer, at: number): void {
    const known = id < this.#sharedCount ? this.#sharedMontgomery : this.#ownMontgomery;
    known[id] ??= writeElements([(this.#values[id]! * RADIX) % PRIME]);
    out.set(known[id], at);
  }

  /** Signed id of a constant: twice its id, or twice its opposite's id plus one. */
  signedIdOf(bytes: Buffer): number {
    const value = readElement(bytes, 0);
    this.#ids ??= new Map(this.#values.map((known, id) => [known, id]));
    const opposite = value === 0n ? 0n : PRIME - value;
    const id = this.#ids.get(value);
    if (id !== undefined) return 2 * id;
    const oppositeId = this.#ids.get(opposite);
    return oppositeId === undefined ? 2 * this.#idOf(value) : 2 * oppositeId + 1;
  }

  writeSigned(signedId: number, out: Buffer, at: number): void {
    const value = this.#values[Math.floor(signedId / 2)]!;
    writeElement(signedId % 2 === 0 ? value : PRIME - value, out, at);
  }

  #idOf(value: bigint): number {
    this.#ids ??= new Map(this.#values.map((known, id) => [known, id]));
    const known = this.#ids.get(value);
    if (known !== undefined) return known;
    this.#ids.set(value, this.#values.length);
    return this.#values.push(value) - 1;
  }
}

const INVERSE_RADIX = powerOf(RADIX, PRIME - 2n);

function powerOf(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let rest = exponent, square = base; rest > 0n; rest >>= 1n, square = (square * square) % PRIME)
    if (rest & 1n) result = (result * square) % PRIME;
  return result;
}

export function readElements(bytes: Uint8Array): bigint[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / ELEMENT_BYTES }, (_, i) =>
    readElement(buffer, i * ELEMENT_BYTES),
  );
}

function writeElements(values: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(ELEMENT_BYTES * values.length);
  for (const [i, value] of values.entries()) writeElement(value, bytes, ELEMENT_BYTES * i);
  return bytes;
}

function readElement(bytes: Buffer, at: number): bigint {
  return (
    (((((bytes.readBigUInt64LE(at + 24) << 64n) | bytes.readBigUInt64LE(at + 16)) << 64n) |
      bytes.readBigUInt64LE(at + 8)) <<
      64n) |
    bytes.readBigUInt64LE(at)
  );
}

function writeElement(value: bigint, bytes: Buffer, at: number): void {
  bytes.writeBigUInt64LE(value & WORD, at);
  bytes.writeBigUInt64LE((value >> 64n) & WORD, at + 8);
  bytes.writeBigUInt64LE((value >> 128n) & WORD, at + 16);
  bytes.writeBigUInt64LE(value >> 192n, at + 24);
}

const WORD = (1n << 64n) - 1n;
