/** Test support: one batch of known operations, and what a forger may change of it before it is laid out again. */
import { feeOnTree } from "../../batch/batch.ts";
import type { TreelessTrace } from "../../batch/slot-trace.ts";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { encodeAmount } from "../../ledger/amount-float.ts";
import type { Leaf } from "../../ledger/leaf.ts";
import { LedgerTree, type TreeVersion } from "../../ledger/ledger-tree.ts";
import { operationMessage, type SignedOperation } from "../../ledger/operation.ts";
import { KIND } from "../../protocol.ts";
import { type ClosedTableBatch, closedInputs, TableBuilder } from "../../table/table-builder.ts";
import { layOutTable, type TableLayout, type TableSlot } from "../../table/table-layout.ts";
import { postedShape } from "../../table/table-shape.ts";
import { derivePublicKey, signMessage } from "../known-signers.ts";
import { OPEN, RandomLedger, signFor, TEST_DOMAIN } from "../random-ledger.ts";
import { SMALL_DEPTH, SMALL_TABLE } from "../table-world.ts";
import { sectionsOfTraces } from "./lawless-table.ts";

const Z = 0x0abc_def0_1234_5678_9abcn;
/** Leaves of RandomLedger: three accounts, a datanet, a payable model. */
export const [ANN, BOB, CAT, NET, MODEL] = [2, 3, 4, 5, 6] as const;

export interface Forged {
  /** Changes the leaves after the table, and lays the tree out around them as an honest prover would. */
  readonly after?: Readonly<Record<number, Partial<Leaf>>>;
  /** Changes to the layout. */
  readonly layout?: (layout: TableLayout) => Partial<TableLayout>;
}

export type Order = Partial<Parameters<typeof signFor>[2]> & {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
};

export const transfer = (a: number, b: number, amountWei: bigint): Order => ({
  kind: KIND.transfer,
  a,
  b,
  amountCode: encodeAmount(amountWei),
});
const ORDERS: readonly Order[] = [
  transfer(ANN, BOB, OPEN),
  transfer(ANN, CAT, 2n * OPEN),
  transfer(BOB, ANN, 3n * OPEN),
  { kind: KIND.payInference, a: ANN, b: MODEL, amountCode: encodeAmount(OPEN / 5n), words: [77n] },
  { kind: KIND.payInference, a: CAT, b: MODEL, amountCode: encodeAmount(OPEN / 10n), words: [78n] },
];

export class TableForgeries {
  readonly world = new RandomLedger(11, SMALL_DEPTH);
  readonly #before: TreeVersion;
  readonly #closed: ClosedTableBatch;
  readonly #after: TreeVersion;
  readonly #traces: readonly TreelessTrace[];

  constructor(orders: readonly Order[] = ORDERS, prepare: (world: RandomLedger) => void = () => {}) {
    const { ledger } = this.world;
    prepare(this.world);
    this.#before = ledger.tree.version;
    const opening = this.world.opening(postedShape(SMALL_TABLE));
    const builder = new TableBuilder(ledger, { ...opening, feeAccountId: 1 });
    this.#traces = orders.map((order) => builder.add(signFor(ledger, this.secretOf(order.a), order)).trace);
    this.#after = ledger.tree.version;
    this.#closed = builder.close();
  }

  secretOf(id: number): bigint {
    const { accounts, datanets, models } = this.world;
    return [...accounts, ...datanets, ...models].find((member) => member.id === id)!.secret;
  }

  get feePerUnitWei(): bigint {
    return this.#closed.batch.data.feePerUnitWei;
  }

  leafBefore(id: number): Leaf {
    return this.#before.leaf(id)!;
  }

  leafAfter(id: number): Leaf {
    return this.#midTree.leaf(id)!;
  }

  /** Tree before the fee credit, which comes after all slots. */
  get #midTree(): TreeVersion {
    return this.#after;
  }

  forge({ after = {}, layout = () => ({}) }: Forged): { layout: TableLayout; inputs: CircuitInputs } {
    const { batch } = this.#closed;
    const tree = LedgerTree.ofVersion(this.#midTree);
    for (const [id, changes] of Object.entries(after))
      tree.put(Number(id), { ...tree.version.leaf(Number(id))!, ...changes });
    const honest = layOutTable(SMALL_TABLE, {
      ...sectionsOfTraces(this.#traces),
      before: this.#before,
      after: tree.version,
      feePerUnitWei: this.feePerUnitWei,
    });
    const forged: TableLayout = { ...honest, ...layout(honest) };
    const feeLeaf = tree.version.leaf(batch.fee.id)!;
    const fee = feeOnTree({ id: batch.fee.id, leaf: feeLeaf, totalWei: batch.fee.totalWei }, tree.version);
    const inputs = closedInputs({ batch: { ...batch, fee }, layout: forged }, Z, SMALL_DEPTH);
    return { layout: forged, inputs };
  }

  /** Signs the slot again with changes, by the key of leaf `by`. */
  sign(slot: TableSlot, changes: Partial<TableSlot>, by: number = slot.a): TableSlot {
    const next = { ...slot, ...changes };
    const operation: Omit<SignedOperation, "signature"> = {
      kind: next.kind,
      a: next.a,
      b: next.b,
      amountCode: next.amountCode,
      nonce: next.nonce,
      words: next.kind === KIND.transfer ? [] : [next.payload],
      maxFeePerUnitWei: this.feePerUnitWei + next.slackWei,
    };
    const secret = this.secretOf(by);
    const key = derivePublicKey(secret);
    const message = operationMessage(operation, { domain: TEST_DOMAIN, bRef: next.bRef });
    return { ...next, keyX: key.x, keyY: key.y, signature: signMessage(secret, message) };
  }
}

/** A copy of the list with one item changed. */
export const withItem = <T>(items: readonly T[], at: number, change: (item: T) => T): T[] =>
  items.map((item, i) => (i === at ? change(item) : item));
