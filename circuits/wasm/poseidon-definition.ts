/**
 * Poseidon's round constants and matrix for BN254's scalar field, made as the paper's appendix says: a Grain LFSR in its
 * self-shrinking mode draws the constants, then the points of a Cauchy matrix. Nobody chose a number here.
 */
import { invertAll } from "@openledger/foundation/modular";
import { FIELD_ORDER } from "../protocol.ts";
import type { Matrix } from "./field-matrix.ts";

export const FULL_ROUNDS = 8;
/** Number of partial rounds, by width − 2. */
const PARTIAL_ROUNDS = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];

export interface PoseidonDefinition {
  /** A vector for each round, added before its fifth powers. */
  readonly rounds: Matrix;
  /** A row for each element of the next state. */
  readonly matrix: Matrix;
}

const FIELD_BITS = 254;

/** Bits that the next one is the sum of, beside the first. */
const TAPS = [13, 23, 38, 51, 62];
/** Bits that a byte gives, after a one that marks their number: the second bit of each pair whose first is set. */
const GIVEN = Uint8Array.from({ length: 256 }, (_, byte) => {
  let input = 1;
  for (let shift = 6; shift >= 0; shift -= 2) {
    const pair = (byte >> shift) & 3;
    if (pair >= 2) input = (input << 1) | (pair & 1);
  }
  return input;
});

/**
 * Register of 80 bits, 16 to a word, the oldest bit highest. No tap is after bit 62 of 80, so a word is made
 * at once.
 */
class Grain {
  readonly #words: Uint16Array;
  /** Bits given and not yet taken. */
  #given = 0;
  #givenCount = 0;

  constructor(width: number) {
    // A prime field, an S-box that is a power, the field's bits, the width, full and partial rounds, then ones.
    const fields: readonly (readonly [value: number, bits: number])[] = [
      [1, 2],
      [0, 4],
      [FIELD_BITS, 12],
      [width, 12],
      [FULL_ROUNDS, 10],
      [PARTIAL_ROUNDS[width - 2]!, 10],
    ];
    const text = fields.map(([value, bits]) => value.toString(2).padStart(bits, "0")).join("");
    const start = text.padEnd(80, "1");
    this.#words = Uint16Array.from({ length: 5 }, (_, i) =>
      Number.parseInt(start.slice(16 * i, 16 * i + 16), 2),
    );
    for (let skipped = 0; skipped < 160; skipped += 16) this.#next();
  }

  #next(): number {
    const words = this.#words;
    let made = words[0]!;
    for (const bit of TAPS) {
      const [word, shift] = [bit >> 4, bit & 15];
      made ^= (words[word]! << shift) | (words[word + 1]! >> (16 - shift));
    }
    words.copyWithin(0, 1);
    words[4] = made;
    return words[4];
  }

  /** A number of so many bits, 22 at most: with a word's bits on top, it still fits 31. */
  #take(bitCount: number): number {
    while (this.#givenCount < bitCount) {
      const word = this.#next();
      for (let shift = 8; shift >= 0; shift -= 8) {
        const marked = GIVEN[(word >> shift) & 0xff]!;
        const count = 31 - Math.clz32(marked);
        this.#given = (this.#given << count) | (marked ^ (1 << count));
        this.#givenCount += count;
      }
    }
    this.#givenCount -= bitCount;
    const taken = this.#given >> this.#givenCount;
    this.#given &= (1 << this.#givenCount) - 1;
    return taken;
  }

  /** A number of as many bits as the field's order. */
  draw(): bigint {
    let value = 0n;
    for (let left = FIELD_BITS; left > 0; left -= 22) {
      const count = Math.min(22, left);
      value = (value << BigInt(count)) | BigInt(this.#take(count));
    }
    return value;
  }
}

/** Computes the constants of one width. Takes some milliseconds. @param width inputs and the tag, 2 to 17 */
export function poseidonDefinition(width: number): PoseidonDefinition {
  const grain = new Grain(width);
  const constant = () => {
    let value = grain.draw();
    while (value >= FIELD_ORDER) value = grain.draw();
    return value;
  };
  const vector = (make: () => bigint) => Array.from({ length: width }, make);
  const rounds = Array.from({ length: FULL_ROUNDS + PARTIAL_ROUNDS[width - 2]! }, () => vector(constant));
  const point = () => grain.draw() % FIELD_ORDER;
  const [rows, columns] = [vector(point), vector(point)];
  const sums = rows.flatMap((x) => columns.map((y) => (x + y) % FIELD_ORDER));
  const inverses = invertAll(sums, FIELD_ORDER);
  const matrix = rows.map((_, i) => inverses.slice(i * width, (i + 1) * width));
  return { rounds, matrix };
}
