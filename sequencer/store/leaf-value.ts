/**
 * Stored form of one leaf of the final ledger: its content, its hash, and a digest over both. A start then takes the hash
 * instead of computing it, which is nine tenths of a tree of many leaves.
 *
 * The digest is SHA-256 over the very fields that Poseidon took: a hash beside any other content is detected. The nodes
 * above the leaves are hashed at every start, so the root still covers all leaves.
 */
import { hash as digestBytes } from "node:crypto";
import { type Leaf, type LeafState, leafFields } from "@openledger/circuits/ledger/leaf";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import { corrupt } from "./store-failure.ts";
import { storeKeys } from "./store-keys.ts";

export interface StoredLeaf extends LeafState {
  readonly leafHash: bigint;
  /** 128 bits of the digest. */
  readonly leafDigest: bigint;
}

interface LeafWrite {
  readonly key: string;
  readonly value: StoredLeaf;
}

const WORDS_PER_ELEMENT = 4;
/** A leaf's tag and eight fields, and its hash. */
const words = new BigUint64Array(10 * WORDS_PER_ELEMENT);
const bytes = Buffer.from(words.buffer);

function digestOf(leaf: Leaf, hash: bigint): bigint {
  let at = 0;
  for (const element of [...leafFields(leaf), hash]) {
    // Each assignment keeps the low 64 bits.
    words[at++] = element;
    words[at++] = element >> 64n;
    words[at++] = element >> 128n;
    words[at++] = element >> 192n;
  }
  const digest = digestBytes("sha256", bytes, "buffer");
  return (digest.readBigUInt64LE(0) << 64n) | digest.readBigUInt64LE(8);
}

/** @param hash the leaf's, as the tree has it */
export function leafWrite(id: number, state: LeafState, hash: bigint): LeafWrite {
  const value = { ...state, leafHash: hash, leafDigest: digestOf(state.leaf, hash) };
  return { key: storeKeys.leaf(id), value };
}

/** Writes of all leaves of a ledger. */
export function leafWrites({ leaves, tree }: Ledger): LeafWrite[] {
  const { version } = tree;
  return [...leaves].map(([id, state]) => leafWrite(id, state, version.leafHash(id)));
}

/** @throws SRV_STORE_CORRUPT where the hash is not this leaf's */
export function leafOf(id: number, stored: StoredLeaf): { state: LeafState; hash: bigint } {
  const { leafDigest, leafHash, ...state } = stored;
  if (digestOf(state.leaf, leafHash) !== leafDigest) {
    throw corrupt(`the hash beside leaf ${id} is not that leaf's`, { leafId: id });
  }
  return { state, hash: leafHash };
}
