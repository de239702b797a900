/**
 * Trees over bytes in leaves of one size, and openings of any number of leaves at once. SHA-256, as nothing of it goes
 * into a circuit: a browser checks an opening in milliseconds, and Ethereum has it as a precompile.
 *
 * A leaf is hashed behind a byte 0, a node behind a byte 1, so neither can stand for the other. An odd node at the end
 * of a level goes up as it is: the number of leaves, which the index's root covers, fixes the shape.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { falseEvidence } from "./span-errors.ts";

export const HASH_BYTES = 32;

/** Some leaves of a tree, and the hashes that lead from them to the root. */
export interface Opening {
  /** Ascending. */
  readonly indices: readonly number[];
  readonly leaves: readonly Uint8Array[];
  /** Level by level from the leaves, in each from the left. */
  readonly siblings: readonly Uint8Array[];
}

/** The bytes that an opening has shown to be in the tree. */
export class OpenedBytes {
  readonly #leaves: ReadonlyMap<number, Uint8Array>;
  readonly #leafBytes: number;
  readonly #what: string;

  constructor(opening: Opening, leafBytes: number, what: string) {
    this.#leaves = new Map(opening.indices.map((index, i) => [index, opening.leaves[i]!]));
    this.#leafBytes = leafBytes;
    this.#what = what;
  }

  /** @throws MOD_SPANS_EVIDENCE_FALSE where the evidence does not open this place */
  at(place: number): number {
    const leaf = this.#leaves.get(Math.floor(place / this.#leafBytes));
    const byte = leaf?.[place % this.#leafBytes];
    if (byte === undefined) throw falseEvidence(`it does not open byte ${place} of the ${this.#what}`);
    return byte;
  }

  /** A number of four bytes, little-endian. @throws MOD_SPANS_EVIDENCE_FALSE */
  number(place: number): number {
    return (
      (this.at(place) |
        (this.at(place + 1) << 8) |
        (this.at(place + 2) << 16) |
        (this.at(place + 3) << 24)) >>>
      0
    );
  }
}

/**
 * @param tree what is opened: its length and leaves in bytes, its root, and its name for messages
 * @throws MOD_SPANS_EVIDENCE_FALSE where the opening does not lead to the root
 */
export function checkOpening(
  opening: Opening,
  tree: { byteLength: number; leafBytes: number; root: Uint8Array; what: string },
): OpenedBytes {
  const { indices, leaves, siblings } = opening;
  const { byteLength, leafBytes, root, what } = tree;
  const wrong = (why: string) => falseEvidence(`the opening of the ${what} ${why}`);
  let width = Math.ceil(byteLength / leafBytes);
  if (indices.length !== leaves.length) throw wrong("has not one leaf for each index");
  let used = 0;
  let level: { index: number; hash: Uint8Array }[] = [];
  for (const [i, index] of indices.entries()) {
    if (!Number.isInteger(index) || index < 0 || index >= width || index <= (indices[i - 1] ?? -1))
      throw wrong("has an index out of place");
    const size = Math.min(leafBytes, byteLength - index * leafBytes);
    if (leaves[i]!.length !== size) throw wrong("has a leaf of a wrong size");
    level.push({ index, hash: hashLeaf(leaves[i]!) });
  }
  if (level.length === 0) return new OpenedBytes(opening, leafBytes, what);
  for (; width > 1; width = Math.ceil(width / 2)) {
    const above: typeof level = [];
    for (let i = 0; i < level.length; i++) {
      const { index, hash } = level[i]!;
      const parent = index >> 1;
      if (index % 2 === 0 && index + 1 === width) {
        above.push({ index: parent, hash });
      } else if (index % 2 === 0 && level[i + 1]?.index === index + 1) {
        above.push({ index: parent, hash: hashNode(hash, level[i + 1]!.hash) });
        i++;
      } else {
        const sibling = siblings[used++];
        if (sibling?.length !== HASH_BYTES) throw wrong("has too few hashes");
        const pair = index % 2 === 0 ? hashNode(hash, sibling) : hashNode(sibling, hash);
        above.push({ index: parent, hash: pair });
      }
    }
    level = above;
  }
  if (used !== siblings.length) throw wrong("has too many hashes");
  if (!sameBytes(level[0]!.hash, root)) throw wrong("does not lead to the root");
  return new OpenedBytes(opening, leafBytes, what);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function hashLeaf(leaf: Uint8Array): Uint8Array {
  return sha256.create().update(Uint8Array.of(0)).update(leaf).digest();
}

function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256.create().update(Uint8Array.of(1)).update(left).update(right).digest();
}
