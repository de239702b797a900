/** Binary keccak trees over bytes, as contracts/disputes/base/Openings.sol opens them. */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes } from "@noble/hashes/utils.js";

const LEAF = Uint8Array.of(0);
const EMPTY = new Uint8Array(32);

export interface LeafTree {
  readonly root: Uint8Array;
  /** The other halves on the way to the root, from below. */
  path(index: number): Uint8Array[];
}

export const leafHash = (data: Uint8Array): Uint8Array => keccak_256(concatBytes(LEAF, data));

/** Of no leaf at all: 0. */
export function leafTree(leaves: readonly Uint8Array[]): LeafTree {
  let width = 1;
  while (width < leaves.length) width *= 2;
  return treeOver(
    Array.from({ length: width }, (_, i) => (i < leaves.length ? leafHash(leaves[i]!) : EMPTY)),
  );
}

/** @param bottom a power of two of nodes */
export function treeOver(bottom: Uint8Array[]): LeafTree {
  const levels = [bottom];
  for (let level = levels[0]!; level.length > 1; ) {
    const below = level;
    level = Array.from({ length: below.length / 2 }, (_, i) =>
      keccak_256(concatBytes(below[2 * i]!, below[2 * i + 1]!)),
    );
    levels.push(level);
  }
  return {
    root: levels.at(-1)![0]!,
    path: (index) => levels.slice(0, -1).map((level, depth) => level[(index >> depth) ^ 1]!),
  };
}
