import { keccak_256 } from "@noble/hashes/sha3.js";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { expect, test } from "vitest";
import { MAX_NODES, NODE_BYTES, NodeHasher } from "./node-hasher.ts";

const random = new SeededRandom("pairs of nodes");
const hasher = new NodeHasher();
const { floats, nodes } = hasher;
const pairBytes = 2 * NODE_BYTES;

/** Expects that the hashes of these pairs are those of @noble/hashes. */
function expectRight(pairs: readonly Uint8Array[]): void {
  for (const [i, pair] of pairs.entries()) nodes.set(pair, pairBytes * i);
  hasher.hashPairs(pairs.length);
  const hashes = pairs.map((_, i) => nodes.slice(NODE_BYTES * i, NODE_BYTES * (i + 1)));
  expect(hashes).toEqual(pairs.map((pair) => keccak_256(pair)));
}

const randomPair = () =>
  Uint8Array.from({ length: pairBytes }, () => Math.floor(256 * random.nextFraction()));

test("pairs are hashed as @noble/hashes does, in runs of every length", () => {
  for (let count = 1; count <= 40; count++) expectRight(Array.from({ length: count }, randomPair));
  expectRight(Array.from({ length: MAX_NODES / 2 }, randomPair));
});

test("so are pairs of one bit, of all but one, and of equal bytes", () => {
  const bits = Array.from({ length: 8 * pairBytes }, (_, bit) => {
    const pair = new Uint8Array(pairBytes);
    pair[bit >> 3] = 1 << (bit & 7);
    return pair;
  });
  expectRight(bits);
  expectRight(bits.map((pair) => pair.map((byte) => ~byte)));
  expectRight(Array.from({ length: 256 }, (_, byte) => new Uint8Array(pairBytes).fill(byte)));
});

test("no pairs leave all nodes as they are", () => {
  nodes.fill(7);
  hasher.hashPairs(0);
  expect(nodes.every((byte) => byte === 7)).toBe(true);
});

test("floats become big-endian ones, and every NaN the same", () => {
  const words = Uint32Array.of(0, 0x80000000, 1, 0x3f800000, 0x7f800000, 0xff800000, 0x7f7fffff, 0x00800000);
  const noNumbers = Uint32Array.of(0x7f800001, 0xff800001, 0x7fc00000, 0xffc00000, 0x7fffffff, 0xffffffff);
  const given = new Uint32Array(16);
  given.set(words);
  given.set(noNumbers, 8);
  new Uint8Array(floats.buffer, floats.byteOffset).set(new Uint8Array(given.buffer));
  hasher.swapFloats(2);
  const view = new DataView(nodes.buffer, nodes.byteOffset);
  const swapped = Array.from(given, (_, k) => view.getUint32(4 * k));
  expect(swapped).toEqual([...words, ...noNumbers.map(() => 0x7fc00000), 0, 0]);
});
