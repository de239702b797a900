import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { describe, expect, test } from "vitest";
import { depthOf, WordTree, wordsOf } from "./word-tree.ts";

const random = new SeededRandom("trees of words");
const below = (count: number) => Math.floor(count * random.nextFraction());
const word = new Uint8Array(32);
const randomBytes = (count: number) => Uint8Array.from({ length: count }, () => below(256));

/** All levels of the tree as it is defined, the words first, filled up with 0. */
function levelsOf(words: Uint8Array): Uint8Array[][] {
  const depth = depthOf(words.length / 32);
  const levels = [
    Array.from({ length: 2 ** depth }, (_, i) => {
      const given = words.subarray(32 * i, 32 * (i + 1));
      return given.length === 0 ? word : given;
    }),
  ];
  for (let level = 0; level < depth; level++) {
    const nodes = levels[level]!;
    levels.push(
      Array.from({ length: nodes.length / 2 }, (_, i) =>
        keccak_256(concatBytes(nodes[2 * i]!, nodes[2 * i + 1]!)),
      ),
    );
  }
  return levels;
}

/** Floats of any bits, NaNs of all kinds among them. */
function randomFloats(count: number): Float32Array {
  const bits = Uint32Array.from({ length: count }, () => {
    const drawn = below(2 ** 32);
    return below(4) === 0 ? (drawn | 0x7f800000) >>> 0 : drawn;
  });
  return new Float32Array(bits.buffer);
}

function expectNodes(tree: WordTree, levels: readonly Uint8Array[][], places: readonly number[]): void {
  expect(tree.depth).toBe(levels.length - 1);
  expect(tree.root).toEqual(levels.at(-1)![0]);
  for (const place of places) {
    const path = levels.slice(0, -1).map((nodes, level) => nodes[(place >> level) ^ 1]!);
    expect(tree.path(place)).toEqual(path);
    for (const [level, nodes] of levels.entries())
      expect(tree.node(level, place >> level)).toEqual(nodes[place >> level]);
  }
}

/** Words that open together, and what is beside them. */
function expectRange(
  tree: WordTree,
  levels: readonly Uint8Array[][],
  { count, first }: { count: number; first: number },
): void {
  const { beside, words } = tree.range(first, count);
  expect(words).toEqual(concatBytes(...levels[0]!.slice(first, first + count)));
  let open = levels[0]!.slice(first, first + count);
  const left = [...beside];
  for (let level = 0, low = first; level < tree.depth; level++, low >>= 1) {
    if (low % 2 === 1) open = [left.shift()!, ...open];
    if (open.length % 2 === 1) open = [...open, left.shift()!];
    open = Array.from({ length: open.length / 2 }, (_, i) =>
      keccak_256(concatBytes(open[2 * i]!, open[2 * i + 1]!)),
    );
  }
  expect(left).toEqual([]);
  expect(open).toEqual([tree.root]);
}

const all = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("a tree has the nodes, paths and openings of its definition", () => {
  test("of every small number of words", () => {
    for (let count = 1; count <= 140; count++) {
      const words = randomBytes(32 * count);
      const [tree, levels] = [new WordTree(words), levelsOf(words)];
      expect(tree.wordCount).toBe(count);
      // Those behind the last word, too.
      const places = count <= 40 ? all(2 ** tree.depth) : all(12).map(() => below(2 ** tree.depth));
      expectNodes(tree, levels, places);
      for (const first of count <= 12 ? all(count) : [0, below(count), count - 1])
        for (const some of count <= 12 ? all(count - first) : [0, below(count - first)])
          expectRange(tree, levels, { first, count: some + 1 });
    }
  });

  test("of every small number of floats", () => {
    for (let count = 1; count <= 300; count++) {
      const floats = randomFloats(count);
      const [tree, levels] = [new WordTree(floats), levelsOf(wordsOf(floats))];
      expect(tree.wordCount).toBe(Math.ceil(count / 8));
      expectNodes(tree, levels, [0, below(2 ** tree.depth), 2 ** tree.depth - 1]);
      const first = below(tree.wordCount);
      expectRange(tree, levels, { first, count: 1 + below(tree.wordCount - first) });
    }
  });

  // Around the nodes that are hashed in one run, and around a power of two of such runs.
  test.each([1_023, 1_024, 1_025, 1_057, 2_047, 2_049, 4_096, 33_000])("of %i words", (count) => {
    const floats = randomFloats(8 * count - below(8));
    const words = wordsOf(floats);
    const levels = levelsOf(words);
    for (const tree of [new WordTree(floats), new WordTree(words)]) {
      const places = [0, count - 1, 2 ** tree.depth - 1, ...all(20).map(() => below(2 ** tree.depth))];
      expectNodes(tree, levels, places);
      expectRange(tree, levels, { first: 0, count });
      for (let k = 0; k < 4; k++) {
        const first = below(count);
        expectRange(tree, levels, { first, count: 1 + below(Math.min(2_000, count - first)) });
      }
    }
  });
});

test("a range that ends behind the last word has zeros there", () => {
  const floats = randomFloats(8 * 5);
  const { words } = new WordTree(floats).range(3, 5);
  expect(words).toEqual(concatBytes(wordsOf(floats).subarray(96), new Uint8Array(96)));
});

test("a tree over no words is a word of 0", () => {
  for (const none of [new Uint8Array(0), new Float32Array(0)]) {
    const tree = new WordTree(none);
    expect([tree.depth, tree.wordCount]).toEqual([0, 0]);
    expect(tree.root).toEqual(word);
  }
});

test("what a tree has given away does not change it", () => {
  const floats = randomFloats(8 * 70);
  const tree = new WordTree(floats);
  const given = [tree.root, ...tree.path(0), ...tree.path(127)];
  for (const bytes of [...given, tree.range(0, 70).words]) bytes.fill(1);
  expectNodes(tree, levelsOf(wordsOf(floats)), [0, 69, 127]);
});
