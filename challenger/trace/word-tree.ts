/** Binary keccak trees over words of 32 bytes, as contracts/disputes/base/WordTrees.sol opens them. */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { MOST_NODES, NODE_BYTES, NodeHasher } from "@openledger/models/kernels/node-hasher";
import { bitsOf } from "./float-arithmetic.ts";

const WORD = NODE_BYTES;
const WORD_FLOATS = 8;
/** Nodes are kept from this level on; one below it is hashed again, out of at most 16 words, when it is asked for. */
const LOWEST_KEPT = 5;

let hasher: NodeHasher | undefined;
/** Roots over 0 words, by level. */
const emptyNodes: Uint8Array[] = [new Uint8Array(WORD)];

/** Keeps what it is of, and a quarter of a byte for each float of it. */
export class WordTree {
  readonly wordCount: number;
  readonly depth: number;
  readonly #words: Uint8Array | Float32Array;
  readonly #lowest: number;
  /** From the lowest level on, without those over 0 words alone. */
  readonly #kept: Uint8Array[];

  /** @param words 32 bytes or eight floats each, not copied: they may not change. Places behind the last are 0. */
  constructor(words: Uint8Array | Float32Array) {
    this.#words = words;
    this.wordCount =
      words instanceof Float32Array ? Math.ceil(words.length / WORD_FLOATS) : words.length / WORD;
    this.depth = depthOf(this.wordCount);
    this.#lowest = Math.min(LOWEST_KEPT, this.depth);
    const lowest = nodesAbove(this.wordCount, 0, this.#lowest, (first, count) => this.#place(first, count));
    this.#kept = [lowest];
    for (let level = this.#lowest; level < this.depth; level++) {
      const below = this.#kept.at(-1)!;
      this.#kept.push(
        nodesAbove(below.length / WORD, level, level + 1, (first, count) =>
          theHasher().nodes.set(below.subarray(WORD * first, WORD * (first + count))),
        ),
      );
    }
  }

  get root(): Uint8Array {
    return this.node(this.depth, 0);
  }

  /** A node so many levels above the words. */
  node(level: number, index: number): Uint8Array {
    const width = 2 ** level;
    const first = width * index;
    if (first >= this.wordCount) return emptyNode(level).slice();
    if (level >= this.#lowest)
      return this.#kept[level - this.#lowest]!.slice(WORD * index, WORD * (index + 1));
    const count = Math.min(width, this.wordCount - first);
    return nodesAbove(count, 0, level, (from, some) => this.#place(first + from, some));
  }

  path(index: number): Uint8Array[] {
    return Array.from({ length: this.depth }, (_, level) => this.node(level, (index >> level) ^ 1));
  }

  /** `count` neighbouring words, and what is beside them on the way up, the left one first. */
  range(first: number, count: number): { words: Uint8Array; beside: Uint8Array[] } {
    const beside: Uint8Array[] = [];
    for (let level = 0, [low, high] = [first, first + count]; level < this.depth; level++) {
      if (low % 2 === 1) beside.push(this.node(level, low - 1));
      if (high % 2 === 1) beside.push(this.node(level, high));
      [low, high] = [low >> 1, (high + 1) >> 1];
    }
    const words = new Uint8Array(WORD * count);
    words.set(this.#bytes(first, count));
    return { words, beside };
  }

  #bytes(first: number, count: number): Uint8Array {
    const end = first + count;
    if (this.#words instanceof Float32Array)
      return wordsOf(this.#words.subarray(WORD_FLOATS * first, WORD_FLOATS * end));
    return this.#words.subarray(WORD * first, WORD * end);
  }

  /** Before the hasher. */
  #place(first: number, count: number): void {
    const { floats, nodes } = theHasher();
    if (!(this.#words instanceof Float32Array)) {
      nodes.set(this.#bytes(first, count));
      return;
    }
    const given = this.#words.subarray(WORD_FLOATS * first, WORD_FLOATS * (first + count));
    floats.set(given);
    floats.fill(0, given.length, WORD_FLOATS * count);
    theHasher().swapFloats(count);
  }
}

/** Of `count` nodes at a level those at a higher one. @param place puts some of them before the hasher */
function nodesAbove(
  count: number,
  level: number,
  above: number,
  place: (first: number, count: number) => void,
): Uint8Array {
  const { nodes } = theHasher();
  const width = 2 ** (above - level);
  const made = new Uint8Array(WORD * Math.ceil(count / width));
  for (let first = 0; first < count; first += MOST_NODES) {
    let left = Math.min(MOST_NODES, count - first);
    place(first, left);
    for (let at = level; at < above; at++) {
      if (left % 2 === 1) nodes.set(emptyNode(at), WORD * left);
      left = Math.ceil(left / 2);
      theHasher().hashPairs(left);
    }
    made.set(nodes.subarray(0, WORD * left), WORD * (first / width));
  }
  return made;
}

function theHasher(): NodeHasher {
  hasher ??= new NodeHasher();
  return hasher;
}

function emptyNode(level: number): Uint8Array {
  for (let at = emptyNodes.length; at <= level; at++)
    emptyNodes.push(keccak_256(concatBytes(emptyNodes[at - 1]!, emptyNodes[at - 1]!)));
  return emptyNodes[level]!;
}

/** Four bytes each, big-endian. */
export function wordBytes(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (const [k, word] of words.entries()) view.setUint32(4 * k, word);
  return bytes;
}

export function depthOf(count: number): number {
  let depth = 0;
  while (2 ** depth < count) depth++;
  return depth;
}

/** Eight floats a word, big-endian; every NaN is the same. */
export function wordsOf(numbers: Float32Array): Uint8Array {
  const bytes = new Uint8Array(WORD * Math.ceil(numbers.length / WORD_FLOATS));
  const view = new DataView(bytes.buffer);
  for (let k = 0; k < numbers.length; k++) view.setUint32(4 * k, bitsOf(numbers[k]!));
  return bytes;
}
