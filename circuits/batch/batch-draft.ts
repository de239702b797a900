/**
 * Stored form of a closed batch until it is proven: its operations and changed leaves without their Merkle paths, which are
 * computed when the prover needs them.
 *
 * The witness needs, for every slot, both leaves' paths on the tree of that moment: 2 · 8 · 8 hashes a slot,
 * of which 16 were never needed before. A draft holds the part of the tree that the batch began with and
 * every slot's changes of its leaves; the paths follow from both. It is plain data, a tenth of the circuit's
 * inputs, and costs no hash to make.
 */

import type { Leaf } from "../ledger/leaf.ts";
import { hashVersions, LedgerTree, type TreePart, type TreeVersion } from "../ledger/ledger-tree.ts";
import { type ClosedBatch, type FeeTrace, feeOnTree } from "./batch.ts";
import type { BatchData } from "./batch-data.ts";
import { type SlotTrace, type TreelessTrace, traceOnTree, treesOf } from "./slot-trace.ts";

interface DraftSlot {
  readonly trace: TreelessTrace;
  /** Leaves after the slot; null if the slot does not change them. */
  readonly newA: Leaf | null;
  readonly newB: Leaf | null;
}

export interface BatchDraft {
  readonly data: BatchData;
  /** Wide slots in the order of their execution. */
  readonly wide: readonly DraftSlot[];
  readonly fee: Omit<FeeTrace, "children">;
  /** The leaves of the wide slots and the fee leaf, after the table. */
  readonly tree: TreePart;
}

/** @throws RangeError for traces that no ledger made: they have no trees */
export function draftOf(closed: ClosedBatch): BatchDraft {
  const { data, fee, wide } = closed;
  // Empty slots share one trace. They share it in the draft, too, so the stored draft is smaller.
  const drafts = new Map<SlotTrace, DraftSlot>();
  const draft = (trace: SlotTrace): DraftSlot => {
    const known = drafts.get(trace);
    if (known !== undefined) return known;
    const made = draftSlot(trace);
    drafts.set(trace, made);
    return made;
  };
  const ids = wide.flatMap(({ record }) => [record.a, record.b]);
  return {
    data,
    wide: wide.map(draft),
    fee: { id: fee.id, leaf: fee.leaf, totalWei: fee.totalWei },
    tree: requireTrees(wide[0]!).before.part([...ids, fee.id]),
  };
}

function requireTrees(trace: SlotTrace) {
  const trees = treesOf(trace);
  if (trees === undefined) throw new RangeError("a slot's trace without its trees");
  return trees;
}

function draftSlot(trace: SlotTrace): DraftSlot {
  const { before, between, after } = requireTrees(trace);
  const { record, feeWei, a, b, maxFeePerUnitWei, keyY, signature } = trace;
  const { datanetA, modelB, claimRewards, jointApproval, settlement } = trace;
  return {
    trace: {
      record,
      feeWei,
      a,
      b,
      maxFeePerUnitWei,
      keyY,
      signature,
      datanetA,
      modelB,
      claimRewards,
      jointApproval,
      settlement,
    },
    newA: between.top === before.top ? null : between.leaf(record.a),
    newB: after.top === between.top ? null : after.leaf(record.b),
  };
}

/** The batch with all its roots and paths, hashed: about 18 hashes a slot that changes both leaves. */
export function openDraft(draft: BatchDraft): ClosedBatch {
  const tree = LedgerTree.ofPart(draft.tree);
  const wide = draft.wide.map(({ trace, newA, newB }) => {
    const put = (id: number, leaf: Leaf | null) => leaf !== null && tree.put(id, leaf);
    return actedOn(tree, trace, { onA: (a) => put(a, newA), onB: (b) => put(b, newB) });
  });
  hashVersions(wide.flatMap((trace) => Object.values(requireTrees(trace))));
  return { data: draft.data, wide, fee: feeOnTree(draft.fee, tree.version) };
}

/** The traces with the paths that they have on another tree, where the leaves that they name are the same. Changes the tree. */
export function movedTraces(traces: readonly SlotTrace[], tree: LedgerTree): SlotTrace[] {
  return traces.map((trace) => {
    const { before, between, after } = requireTrees(trace);
    const move = (id: number, from: TreeVersion, to: TreeVersion) =>
      from.top !== to.top && tree.putNode(id, to.leafNode(id));
    return actedOn(tree, draftSlot(trace).trace, {
      onA: (a) => move(a, before, between),
      onB: (b) => move(b, between, after),
    });
  });
}

/** Applies a slot's changes of its leaves to the tree. */
function actedOn(
  tree: LedgerTree,
  trace: TreelessTrace,
  { onA, onB }: Record<"onA" | "onB", (id: number) => unknown>,
): SlotTrace {
  const before = tree.version;
  onA(trace.record.a);
  const between = tree.version;
  onB(trace.record.b);
  return traceOnTree(trace, { before, between, after: tree.version });
}
