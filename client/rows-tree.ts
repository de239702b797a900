import { sha256 } from "@noble/hashes/sha2.js";
import { FIELD_ORDER, TAG, TREE_ARITY } from "../circuits/protocol.ts";
import { treeRoot } from "../circuits/tree-root.ts";

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

/** What CommitData carries: the tree over the row hashes, in the contributor's order. */
export function contributionRoot(rowHashes: readonly bigint[]): bigint {
  return treeRoot(TAG.contributionNode, rowHashes, treeDepth(rowHashes.length));
}
