import { sha256 } from "@noble/hashes/sha2.js";
import { hashTagged } from "../circuits/poseidon.ts";
import { FIELD_ORDER, TAG, TREE_ARITY } from "../circuits/protocol.ts";

/** SHA-256 of a row's bytes, mod r: the row's name in every tree. The store's file names are the digest itself. */
export function hashRow(content: Uint8Array): bigint {
  return digestToField(sha256(content));
}

export function digestToField(digest: Uint8Array): bigint {
  return digest.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) % FIELD_ORDER;
}

/** Least depth ≥ 1 of an eight-ary tree that holds this many leaves. */
export function treeDepth(leafCount: number): number {
  let depth = 1;
  while (TREE_ARITY ** depth < leafCount) depth += 1;
  return depth;
}

/**
 * Root of an eight-ary Poseidon tree: an absent leaf is 0, a node is H[nodeTag](c0 … c7). Whoever states the root
 * also states the number of leaves, so a leaf of 0 cannot stand for an absent one.
 */
export function treeRoot(nodeTag: bigint, leaves: readonly bigint[], depth: number): bigint {
  let empty = 0n;
  let level = [...leaves];
  for (let i = 0; i < depth; i++) {
    const parents: bigint[] = [];
    for (let start = 0; start < level.length; start += TREE_ARITY) {
      const children = level.slice(start, start + TREE_ARITY);
      while (children.length < TREE_ARITY) children.push(empty);
      parents.push(hashTagged(nodeTag, children));
    }
    empty = hashTagged(nodeTag, Array<bigint>(TREE_ARITY).fill(empty));
    level = parents;
  }
  return level[0] ?? empty;
}

/** What CommitData carries: the tree over the row hashes, in the contributor's order. */
export function contributionRoot(rowHashes: readonly bigint[]): bigint {
  return treeRoot(TAG.contributionNode, rowHashes, treeDepth(rowHashes.length));
}
