/**
 * Poseidon's round constants and matrix for BN254's scalar field, made as the paper's appendix says: a Grain LFSR in its
 * self-shrinking mode draws the constants, then the points of a Cauchy matrix. Nobody chose a number here.
 */
import { invertMod } from "@openledger/foundation/modular";
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

/**
 * Register of 80 bits, 16 to a word, the oldest bit highest. No tap is after bit 62 of 80, so a word is made
 * at once.
 */
class Grain {
  readonly #words: number[];
  #bits = 0;
  #left = 0;

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
    this.#words = Array.from({ length: 5 }, (_, i) => Number.parseInt(start.slice(16 * i, 16 * i + 16), 2));
    for (let skipped = 0; skipped < 160; skipped += 16) this.#next();
  }

  #next(): number {
    const words = this.#words;
    const at = (bit: number) => {
      const [word, shift] = [bit >> 4, bit & 15];
      return ((words[word]! << shift) | (words[word + 1]! >> (16 - shift))) & 0xffff;
    };
    const made = words[0]! ^ at(13) ^ at(23) ^ at(38) ^ at(51) ^ at(62);
    words.shift();
    words.push(made);
    return made;
  }

  /** The second bit of each pair whose first is set. */
  #bit(): number {
    for (;;) {
      if (this.#left === 0) [this.#bits, this.#left] = [this.#next(), 16];
      this.#left -= 2;
      const pair = (this.#bits >> this.#left) & 3;
      if (pair >= 2) return pair & 1;
    }
  }

  /** A number of as many bits as the field's order. */
  draw(): bigint {
    let value = 0n;
    for (let taken = 0; taken < FIELD_BITS; ) {
      const count = Math.min(30, FIELD_BITS - taken);
      let part = 0;
      for (let i = 0; i < count; i++) part = (part << 1) | this.#bit();
      value = (value << BigInt(count)) | BigInt(part);
      taken += count;
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
  const matrix = rows.map((x) => columns.map((y) => invertMod(x + y, FIELD_ORDER)));
  return { rounds, matrix };
}
