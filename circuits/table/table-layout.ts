/**
 * Leaf table of a closed batch, from which its circuit's inputs are made: slots (one for each operation), rows and units (what
 * the batch does to each leaf), and the tree around them. Plain data, so that tests can alter it;
 * docs/explanation/leaf-table.md explains it. table-builder.ts makes it when a batch closes.
 */

import type { TreelessTrace } from "../batch/slot-trace.ts";
import { DUMMY } from "../field/curve/dummy-signature.ts";
import type { Signature } from "../field/curve/eddsa.ts";
import { decodeAmount } from "../ledger/amount-float.ts";
import { EMPTY_LEAF, hashLeafRest, type Leaf, unpackCounters } from "../ledger/leaf.ts";
import { hashVersions, LedgerTree, type TreePart, type TreeVersion } from "../ledger/ledger-tree.ts";
import { leafReference } from "../ledger/operation.ts";
import { KIND, LEAF_KIND, TREE_ARITY } from "../protocol.ts";
import type { TableShape } from "./table-shape.ts";

export interface TableSlot {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly amountCode: bigint;
  readonly payload: bigint;
  readonly nonce: bigint;
  /** maxFeePerUnit less the batch's fee. */
  readonly slackWei: bigint;
  readonly bRef: bigint;
  readonly keyX: bigint;
  readonly keyY: bigint;
  readonly signature: Signature;
  /**
   * Fields of the second section only: B's chain and open amount before, the surplus over the price, and the
   * number of slots since B's last, less 1.
   */
  readonly chain: bigint;
  readonly openWei: bigint;
  readonly surplusWei: bigint;
  readonly gap: number;
}

export interface TableRow {
  readonly id: number;
  readonly isFirst: boolean;
  readonly isMember: boolean;
  /** Slots of the first section that name this leaf as B. */
  readonly asked: number;
  readonly before: Leaf;
  readonly after: Leaf;
  readonly oldSub: bigint;
  readonly newSub: bigint;
}

export interface TableUnit {
  readonly id: number;
  readonly isUsed: boolean;
  readonly isModel: boolean;
  /** Slots that name this leaf as B, and the number of the last one (from 1). */
  readonly asked: number;
  readonly last: number;
  /** Owner and kind; chain, open amount and counters, each before and after. */
  readonly state: readonly [
    ref: bigint,
    chain: bigint,
    newChain: bigint,
    openWei: bigint,
    newOpenWei: bigint,
    counters: bigint,
    newCounters: bigint,
  ];
  readonly body: bigint;
}

/** Hashes of the unit's leaf fields besides owner, key and balance, before and after. */
export function unitRests({ state, body }: TableUnit): [rest: bigint, newRest: bigint] {
  const [, chain, newChain, openAmount, newOpenAmount, counters, newCounters] = state;
  const common = { ...EMPTY_LEAF, body };
  return [
    hashLeafRest({ ...common, chain, openAmount, counters }),
    hashLeafRest({ ...common, chain: newChain, openAmount: newOpenAmount, counters: newCounters }),
  ];
}

/** The upper tree: every subtree's root before and after the table. */
interface TableTop {
  readonly old: readonly bigint[];
  readonly now: readonly bigint[];
  readonly touched: readonly boolean[];
  /** Siblings on the way from the window to the root, one row a level. */
  readonly spineChildren: readonly (readonly bigint[])[];
}

export interface TableLayout {
  readonly shape: TableShape;
  /** Slots of the shape, nulls included; likewise rows and units. */
  readonly transfers: readonly TableSlot[];
  readonly members: readonly TableSlot[];
  readonly rows: readonly TableRow[];
  /**
   * All children on the way from each row to its subtree's root, as the row before left them; computed when
   * read.
   */
  readonly rowChildren: readonly (readonly (readonly bigint[])[])[];
  readonly units: readonly TableUnit[];
  readonly tree: TableTop;
  /** The rows' leaves on the tree before the table. */
  readonly part: TreePart;
  readonly midRoot: bigint;
}

/** Stored form of a layout. The rows' children follow from the part of the tree. */
export type StoredLayout = Omit<TableLayout, "rowChildren">;

const NULL_SLOT: TableSlot = {
  kind: KIND.null,
  a: 0,
  b: 0,
  amountCode: 0n,
  payload: 0n,
  nonce: 0n,
  slackWei: 0n,
  bRef: 0n,
  keyX: DUMMY.keyX,
  keyY: DUMMY.keyY,
  signature: DUMMY.signature,
  chain: 0n,
  openWei: 0n,
  surplusWei: 0n,
  gap: 0,
};

const NULL_UNIT: TableUnit = {
  id: 0,
  isUsed: false,
  isModel: false,
  asked: 0,
  last: 0,
  state: [0n, 0n, 0n, 0n, 0n, 0n, 0n],
  body: 0n,
};

/** The narrow sections of a batch that was executed. */
export interface TableSections {
  readonly transfers: readonly TreelessTrace[];
  readonly members: readonly TreelessTrace[];
  /** The tree before and after both sections. */
  readonly before: TreeVersion;
  readonly after: TreeVersion;
  readonly feePerUnitWei: bigint;
}

export function layOutTable(shape: TableShape, sections: TableSections): TableLayout {
  const { transfers, members, before, after, feePerUnitWei } = sections;
  const fill = <T>(items: readonly T[], count: number, filler: T): T[] => [
    ...items,
    ...Array<T>(count - items.length).fill(filler),
  ];
  const slotOf = (trace: TreelessTrace): TableSlot => ({
    ...NULL_SLOT,
    kind: trace.record.kind,
    a: trace.record.a,
    b: trace.record.b,
    amountCode: trace.record.amountCode,
    payload: trace.record.words[0] ?? 0n,
    nonce: trace.a.nonce,
    slackWei: trace.maxFeePerUnitWei - feePerUnitWei,
    bRef: leafReference(trace.b),
    keyX: trace.a.keyX,
    keyY: trace.keyY,
    signature: trace.signature,
  });
  const lastOf = new Map<number, number>();
  const memberSlots = members.map((trace, i): TableSlot => {
    const { b, kind, amountCode } = trace.record;
    const gap = i - (lastOf.get(b) ?? 0);
    lastOf.set(b, i + 1);
    const isPay = kind === KIND.payInference;
    return {
      ...slotOf(trace),
      chain: trace.b.chain,
      openWei: isPay ? trace.b.openAmount : 0n,
      surplusWei: isPay ? decodeAmount(amountCode) - unpackCounters(trace.b.counters).priceWei : 0n,
      gap,
    };
  });
  const count = (traces: readonly TreelessTrace[]) => {
    const question = new Map<number, number>();
    for (const { record } of traces) question.set(record.b, (question.get(record.b) ?? 0) + 1);
    return question;
  };
  const questionOfRows = count(transfers);
  const questionOfUnits = count(members);
  const ids = [...new Set([...transfers, ...members].flatMap(({ record }) => [record.a, record.b]))].sort(
    (x, y) => x - y,
  );
  const { moves, part, rows, tree } = layOutTree(shape, ids.length === 0 ? [0] : ids, before, after);
  const units = [...questionOfUnits.keys()]
    .sort((x, y) => x - y)
    .map((id): TableUnit => {
      const [old, now] = [before.leaf(id)!, after.leaf(id)!];
      return {
        id,
        isUsed: true,
        isModel: old.kind === LEAF_KIND.model,
        asked: questionOfUnits.get(id)!,
        last: lastOf.get(id)!,
        state: [
          leafReference(old),
          old.chain,
          now.chain,
          old.openAmount,
          now.openAmount,
          old.counters,
          now.counters,
        ],
        body: old.body,
      };
    });
  return {
    shape,
    transfers: fill(transfers.map(slotOf), shape.transfers, NULL_SLOT),
    members: fill(memberSlots, shape.members, NULL_SLOT),
    rows: rows.map((row, i) =>
      i < ids.length
        ? { ...row, asked: questionOfRows.get(row.id) ?? 0, isMember: questionOfUnits.has(row.id) }
        : row,
    ),
    get rowChildren() {
      return childrenOf(moves, rows);
    },
    units: fill(units, shape.units, NULL_UNIT),
    tree,
    part,
    midRoot: after.root,
  };
}

/** Part of a layout that is stored until the batch is proven. */
export const storedLayout = ({
  shape,
  transfers,
  members,
  rows,
  units,
  tree,
  part,
  midRoot,
}: TableLayout): StoredLayout => ({ shape, transfers, members, rows, units, tree, part, midRoot });

/** The layout again, hashed: four hashes a row. */
export function openLayout(stored: StoredLayout): TableLayout {
  const { part, rows, shape } = stored;
  const after = new Map(rows.map((row) => [row.id, row.after]));
  const moves = rowMoves(part, shape.low, (tree, id) => tree.put(id, after.get(id)!));
  return { ...stored, rowChildren: childrenOf(moves, rows) };
}

interface RowMove {
  readonly old: TreeVersion;
  readonly now: TreeVersion;
}

/** Subtree of each leaf before and after its own row. No other node of the trees between is hashed. */
function rowMoves(part: TreePart, low: number, move: (tree: LedgerTree, id: number) => void): RowMove[] {
  const tree = LedgerTree.ofPart(part);
  const moves = part.ids.map((id) => {
    const old = tree.version.subtree(id, low);
    move(tree, id);
    return { old, now: tree.version.subtree(id, low) };
  });
  hashVersions(moves.map(({ now }) => now));
  return moves;
}

/** Move of a row. Unused rows open the last leaf again, and leave it as it is. */
function moveOf(moves: readonly RowMove[], row: number): RowMove {
  const last = moves.at(-1)!.now;
  return moves[row] ?? { old: last, now: last };
}

const childrenOf = (moves: readonly RowMove[], rows: readonly TableRow[]) =>
  rows.map(({ id }, j) => moveOf(moves, j).old.path(id));

/** Rows for these leaves by rising id, and the tree around them: a leaf may have any number of rows. */
function layOutTree(
  { rows: rowCount, low, top }: TableShape,
  ids: readonly number[],
  before: TreeVersion,
  after: TreeVersion,
) {
  const subOf = (id: number) => Math.floor(id / TREE_ARITY ** low);
  hashVersions([before, after]);
  const part = before.part(ids);
  const moves = rowMoves(part, low, (tree, id) => tree.putNode(id, after.leafNode(id)));
  const used = ids.map(
    (id, j): TableRow => ({
      id,
      isMember: false,
      asked: 0,
      isFirst: j === 0 || subOf(ids[j - 1]!) !== subOf(id),
      before: before.leaf(id)!,
      after: after.leaf(id)!,
      oldSub: moves[j]!.old.root,
      newSub: moves[j]!.now.root,
    }),
  );
  const last = used.at(-1)!;
  // One object, which a stored draft has once.
  const left = { ...last, isFirst: false, before: last.after, oldSub: last.newSub };
  const rows = [...used, ...Array<TableRow>(rowCount - used.length).fill(left)];
  const entries = (version: TreeVersion) =>
    Array.from({ length: TREE_ARITY ** (top - 1) }, (_, i) =>
      version.row(low + 1, i * TREE_ARITY ** (low + 1)),
    ).flat();
  const touched = new Set(ids.map(subOf));
  const tree: TableTop = {
    old: entries(before),
    now: entries(after),
    touched: Array.from({ length: TREE_ARITY ** top }, (_, i) => touched.has(i)),
    spineChildren: before
      .path(0)
      .slice(low + top)
      .map((row) => row.slice(1)),
  };
  return { moves, part, rows, tree };
}
