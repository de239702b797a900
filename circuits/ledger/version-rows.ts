/** What a datanet's version commits to (docs/reference/ledger.md, "Rows and owners"): row hashes and the trees over them. */

import { sha256 } from "@noble/hashes/sha2.js";
import { hashTagged } from "../field/poseidon.ts";
import { FIELD_ORDER, TAG, TREE_ARITY } from "../protocol.ts";
import { treeRoot } from "./ledger-tree.ts";

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
