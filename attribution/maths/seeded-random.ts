/**
 * Deterministic pseudorandom numbers for splits, subsets and projections of rows: a trainer and whoever
 * recomputes the model draw the same. Never for secrets.
 */
import { sha256 } from "@noble/hashes/sha2.js";

/**
 * Random numbers from a name: the same name gives the same numbers everywhere. Integer arithmetic only: sfc32 of
 * PractRand, seeded with the first 128 bits of the name's SHA-256.
 */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  constructor(seed: string) {
    const view = new DataView(sha256(new TextEncoder().encode(seed)).buffer);
    this.#a = view.getInt32(0);
    this.#b = view.getInt32(4);
    this.#c = view.getInt32(8);
    this.#counter = view.getInt32(12);
  }

  /** An integer of 32 bits, 0 … 2^32 − 1. */
  nextUint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + result;
    this.#c |= 0;
    return result >>> 0;
  }

  /** An integer 0 … bound − 1, without bias. */
  nextBelow(bound: number): number {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let value = this.nextUint32();
    while (value >= limit) value = this.nextUint32();
    return value % bound;
  }

  /** A multiple of 2^−32 in [0, 1). */
  nextFraction(): number {
    return this.nextUint32() / 2 ** 32;
  }

  /** 0 … count − 1 in random order (Fisher–Yates). */
  permutation(count: number): Int32Array {
    const order = Int32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.nextBelow(i + 1);
      const held = order[i]!;
      order[i] = order[j]!;
      order[j] = held;
    }
    return order;
  }

  /** `size` different numbers below `count`, ascending. */
  subset(count: number, size: number): Int32Array {
    return this.permutation(count).slice(0, size).sort();
  }
}

/** Mixes two 32-bit numbers into one (the finaliser of MurmurHash3): for hashed projections. */
export function mix32(seed: number, value: number): number {
  let h = Math.imul(value ^ seed, 0xcc9e2d51) ^ (seed >>> 15);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
