/** Binary keccak trees over words of 32 bytes, as contracts/disputes/WordTrees.sol opens them. */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bitsOf } from "./float-arithmetic.ts";

const WORD = 32;

/** All levels in one piece of memory, the words first. */
export class WordTree {
  readonly wordCount: number;
  readonly depth: number;
  readonly #bytes: Uint8Array;
  readonly #starts: readonly number[];

  /** @param words 32 bytes each, at least one; places behind the last are 0. */
  constructor(words: Uint8Array) {
    this.wordCount = words.length / WORD;
    this.depth = depthOf(this.wordCount);
    const starts: number[] = [];
    let total = 0;
    for (let level = 0; level <= this.depth; level++) {
      starts.push(total);
      total += WORD << (this.depth - level);
    }
    this.#starts = starts;
    this.#bytes = new Uint8Array(total);
    this.#bytes.set(words);
    for (let level = 0; level < this.depth; level++) this.#hashLevel(level);
  }

  get root(): Uint8Array {
    return this.node(this.depth, 0);
  }

  /** A node so many levels above the words. */
  node(level: number, index: number): Uint8Array {
    const from = this.#starts[level]! + WORD * index;
    return this.#bytes.subarray(from, from + WORD);
  }

  path(index: number): Uint8Array[] {
    return Array.from({ length: this.depth }, (_, level) => this.node(level, (index >> level) ^ 1));
  }

  /** `count` neighbouring words, and what is beside them on the way up, the left one first. */
  range(first: number, count: number): { words: Uint8Array; beside: Uint8Array[] } {
    const from = WORD * first;
    const beside: Uint8Array[] = [];
    for (let level = 0, [low, high] = [first, first + count]; level < this.depth; level++) {
      if (low % 2 === 1) beside.push(this.node(level, low - 1));
      if (high % 2 === 1) beside.push(this.node(level, high));
      [low, high] = [low >> 1, (high + 1) >> 1];
    }
    return { words: this.#bytes.subarray(from, from + WORD * count), beside };
  }

  #hashLevel(level: number): void {
    const from = this.#starts[level]!;
    const to = this.#starts[level + 1]!;
    const count = 1 << (this.depth - level - 1);
    // What is behind the last word is the same everywhere, and hashed once.
    const used = Math.ceil(this.wordCount / 2 ** (level + 1));
    const hash = (index: number) =>
      keccak_256(this.#bytes.subarray(from + 2 * WORD * index, from + 2 * WORD * (index + 1)));
    for (let index = 0; index < used; index++) this.#bytes.set(hash(index), to + WORD * index);
    if (used === count) return;
    const empty = hash(count - 1);
    for (let index = used; index < count; index++) this.#bytes.set(empty, to + WORD * index);
  }
}

export function depthOf(count: number): number {
  let depth = 0;
  while (2 ** depth < count) depth++;
  return depth;
}

/** Eight floats a word, big-endian; every NaN is the same. */
export function wordsOf(numbers: Float32Array): Uint8Array {
  const bytes = new Uint8Array(WORD * Math.ceil(numbers.length / 8));
  const view = new DataView(bytes.buffer);
  for (let k = 0; k < numbers.length; k++) view.setUint32(4 * k, bitsOf(numbers[k]!));
  return bytes;
}
