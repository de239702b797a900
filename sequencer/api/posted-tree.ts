/**
 * Merkle proofs of leaves against the root of the last posted batch, which the contract holds: an owner can check a balance
 * without trusting anybody.
 */
import { operationError } from "@openledger/circuits/circuit-errors";
import type { Leaf } from "@openledger/circuits/ledger/leaf";
import { LedgerTree, type TreeVersion } from "@openledger/circuits/ledger/ledger-tree";
import type { BatchRegistry } from "../batches/batch-registry.ts";
import type { HeadState } from "../batches/head-state.ts";

export interface PostedLeaf {
  /** L1 holds this root after this batch. */
  readonly batchNumber: number;
  readonly root: bigint;
  readonly leaf: Leaf;
  /** All eight children on the way up, one row a level, the leaf's own first. */
  readonly rows: readonly (readonly bigint[])[];
}

/**
 * Works out the posted tree from the present one, by putting back what changed since. Its nodes are hashed once a
 * posted batch, however many ask.
 */
export class PostedTree {
  #known: { readonly root: bigint; readonly version: TreeVersion } | null = null;

  /** @throws OP_UNKNOWN_LEAF where no posted batch has made the leaf */
  leaf(head: HeadState, registry: BatchRegistry, id: number): PostedLeaf {
    const batchNumber = registry.reached("posted");
    const record = registry.leafAfter(batchNumber, id);
    if (record === undefined)
      throw operationError("OP_UNKNOWN_LEAF", `L1 does not have a leaf ${id} yet`, { data: { id } });
    const { root } = registry.positionAfter(batchNumber);
    if (this.#known?.root !== root)
      this.#known = { root, version: versionAfter(head, registry, batchNumber) };
    return { batchNumber, root, leaf: record.leaf, rows: this.#known.version.path(id) };
  }
}

function versionAfter(head: HeadState, registry: BatchRegistry, batchNumber: number): TreeVersion {
  const changed = new Set(head.openTouched);
  for (let number = batchNumber + 1; number <= registry.closedNumber; number++)
    for (const [id] of registry.changesOf(number)) changed.add(id);
  const tree = LedgerTree.ofVersion(head.ledger.tree.version);
  for (const id of changed) {
    const before = registry.leafAfter(batchNumber, id);
    if (before === undefined) tree.update(id, 0n);
    else tree.put(id, before.leaf);
  }
  return tree.version;
}
