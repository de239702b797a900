/**
 * Test support: the table of lawless slots. It is laid out as an honest prover would, around what the slots say that they
 * did; so a forged operation has a consistent table, and only the rule that it breaks can refuse it.
 */
import type { TreelessTrace } from "../../batch/slot-trace.ts";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { decodeAmount } from "../../ledger/amount-float.ts";
import { accountLeaf, EMPTY_LEAF, type ModelCounters, unpackCounters } from "../../ledger/leaf.ts";
import { LedgerTree, type TreeVersion } from "../../ledger/ledger-tree.ts";
import { COUNTERS, KIND, TREE_ARITY } from "../../protocol.ts";
import { layOutTable, type TableLayout, type TableSections } from "../../table/table-layout.ts";
import type { TableShape } from "../../table/table-shape.ts";

/**
 * Lays out a table without its rules. For a missing leaf the row opens an empty leaf and leaves it as it is.
 * The leaf's subtree must be empty.
 */
export function lawlessLayout(shape: TableShape, sections: TableSections): TableLayout {
  const { before, after, members, transfers } = sections;
  const ids = new Set([...transfers, ...members].flatMap(({ record }) => [record.a, record.b]));
  const missing = [...ids].filter((id) => before.leaf(id) === null);
  const withGhosts = (version: TreeVersion): TreeVersion => {
    const tree = LedgerTree.ofVersion(version);
    for (const id of missing) tree.put(id, accountLeaf({ l1Owner: 1n, keyX: 1n, balance: 0n }));
    return tree.version;
  };
  if (missing.length === 0) return layOutTable(shape, sections);
  const layout = layOutTable(shape, { ...sections, before: withGhosts(before), after: withGhosts(after) });
  const real = layOutTable(shape, { ...sections, transfers: [], members: [] });
  const { low } = shape;
  const entryOf = (id: number) => real.tree.old[Math.floor(id / TREE_ARITY ** low)]!;
  return {
    ...layout,
    rows: layout.rows.map((row) =>
      missing.includes(row.id)
        ? {
            ...row,
            before: EMPTY_LEAF,
            after: EMPTY_LEAF,
            children: before.path(row.id).slice(0, low),
            oldSub: entryOf(row.id),
            newSub: entryOf(row.id),
          }
        : row,
    ),
    tree: { ...real.tree, touched: layout.tree.touched },
    midRoot: after.root,
  };
}

/** The sections of lawless narrow slots: of transfers, and of commits and payments. */
export const sectionsOfTraces = (traces: readonly TreelessTrace[]) => ({
  transfers: traces.filter(({ record }) => record.kind === KIND.transfer),
  members: traces.filter(
    ({ record }) => record.kind === KIND.commitData || record.kind === KIND.payInference,
  ),
});

const bitsOf = (value: bigint, count: number) =>
  Array.from({ length: count }, (_, i) => (value >> BigInt(i)) & 1n);

/**
 * Shows another opening of a model's counters in the only unit. The payment's surplus follows the shown
 * price.
 */
export function showUnitCounters(
  inputs: Record<string, unknown> & CircuitInputs,
  { record, b }: TreelessTrace,
  shown: Partial<ModelCounters>,
): void {
  const counters = unpackCounters(b.counters + (1n << COUNTERS.paymentCount));
  const opened = {
    ...counters,
    ...shown,
    // The unit opens the counters after the payment.
    ...(shown.paymentCount === undefined ? {} : { paymentCount: shown.paymentCount + 1n }),
  };
  const surplusWei = decodeAmount(record.amountCode) - opened.priceWei;
  Object.assign(inputs, {
    unitReadyBit: [BigInt(opened.isReady)],
    unitApprovedBit: [BigInt(opened.isApproved)],
    unitCapBits: [bitsOf(opened.cap, 16)],
    unitCountBits: [bitsOf(opened.paymentCount, 16)],
    unitEpochBits: [bitsOf(opened.epoch, 24)],
    unitPriceBits: [bitsOf(opened.priceWei, 96)],
    memberSurplusBits: [bitsOf(surplusWei, 64)],
  });
}
