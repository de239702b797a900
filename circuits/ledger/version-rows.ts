/** What a datanet's version commits to (docs/reference/ledger.md, "Rows and owners"): row hashes and the trees over them. */

import { sha256 } from "@noble/hashes/sha2.js";
import { hashTagged } from "../field/poseidon.ts";
import { FIELD_ORDER, TAG, TREE_ARITY } from "../protocol.ts";

/** The chain of a Datanet's leaf after these commits, in the ledger's order (docs/reference/ledger.md). Needs `initPoseidon`. */
export function commitChain(
  commits: readonly {
    readonly rowsRoot: bigint;
    readonly contributorId: number;
    readonly rowCount: number;
  }[],
): bigint {
  return commits.reduce(
    (link, { contributorId, rowCount, rowsRoot }) =>
      hashTagged(TAG.commit, [link, rowsRoot, BigInt(contributorId) | (BigInt(rowCount) << 24n)]),
    0n,
  );
}

/** A row of a version and the two leaves that it earns for. */
export interface VersionRow {
  readonly rowHash: bigint;
  readonly contributorId: number;
  readonly validatorId: number;
}

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

/** What CommitData carries: the tree over the row hashes, in the contributor's order. Needs `initPoseidon`. */
export function contributionRoot(rowHashes: readonly bigint[]): bigint {
  return treeRoot(TAG.contributionNode, rowHashes, treeDepth(rowHashes.length));
}

export function hashVersionRow(row: VersionRow): bigint {
  return hashTagged(TAG.versionRow, [row.rowHash, BigInt(row.contributorId), BigInt(row.validatorId)]);
}

/** What PublishVersion carries, over the rows in the version's order. Needs `initPoseidon`. */
export function versionRowsRoot(rows: readonly VersionRow[]): bigint {
  return treeRoot(TAG.versionNode, rows.map(hashVersionRow), treeDepth(rows.length));
}

// Trees of known leaves, eight children a node, under any node tag: roots, and paths as PathUpdate8 takes them.

/** All levels from the leaves up, and the hash of an empty subtree of each. */
function treeLevels(nodeTag: bigint, leaves: readonly bigint[], depth: number) {
  const levels: bigint[][] = [[...leaves]];
  const empty = [0n];
  for (let i = 0; i < depth; i++) {
    const level = levels[i]!;
    const parents: bigint[] = [];
    for (let start = 0; start < level.length; start += TREE_ARITY) {
      parents.push(hashTagged(nodeTag, childrenAt(level, start / TREE_ARITY, empty[i]!)));
    }
    levels.push(parents);
    empty.push(hashTagged(nodeTag, Array<bigint>(TREE_ARITY).fill(empty[i]!)));
  }
  return { levels, empty };
}

const childrenAt = (level: readonly bigint[], parent: number, empty: bigint): bigint[] =>
  Array.from({ length: TREE_ARITY }, (_, i) => level[parent * TREE_ARITY + i] ?? empty);

/**
 * Root of an eight-ary Poseidon tree: an absent leaf is 0, a node is H[nodeTag](c0 … c7). Anyone who states the root
 * also states the number of leaves, so a leaf of 0 cannot stand for an absent one.
 */
export function treeRoot(nodeTag: bigint, leaves: readonly bigint[], depth: number): bigint {
  const { levels, empty } = treeLevels(nodeTag, leaves, depth);
  return levels[depth]![0] ?? empty[depth]!;
}

/** All eight children on the way up from leaf `index`, one row a level. */
export function treePath(
  nodeTag: bigint,
  leaves: readonly bigint[],
  depth: number,
  index: number,
): bigint[][] {
  const { levels, empty } = treeLevels(nodeTag, leaves, depth);
  return Array.from({ length: depth }, (_, level) =>
    childrenAt(levels[level]!, Math.floor(index / TREE_ARITY ** (level + 1)), empty[level]!),
  );
}
