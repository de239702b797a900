/** Test support: random batches, and the small circuits that prove them. */

import { batchElements } from "../batch/batch-data.ts";
import type { ReplayedSettlement } from "../batch/settlement-operation.ts";
import { evaluate } from "../field/element-vector.ts";
import { initPoseidon } from "../field/poseidon.ts";
import { kindRule } from "../protocol.ts";
import { tableCircuitSpec } from "../registry/circuit-registry.ts";
import {
  type ClosedTableBatch,
  closedCommitment,
  closedInputs,
  TableBuilder,
} from "../table/table-builder.ts";
import { postedShape, type TableShape } from "../table/table-shape.ts";
import { CircuitTester } from "./circuit-tester.ts";
import type { RandomLedger } from "./random-ledger.ts";
import { postedOf } from "./settlement/random-settlement.ts";

/**
 * Shape with 512 ids, of which the table reaches 64, and without wide slots, so that the circuit is the table
 * and little else.
 */
export const SMALL_TABLE: TableShape = {
  transfers: 4,
  members: 2,
  wide: 0,
  rows: 7,
  units: 2,
  low: 1,
  top: 1,
};
export const SMALL_BLOB_TABLE: TableShape = { ...SMALL_TABLE, isBlob: true };
/** Shape with two wide slots: the nets from the table's root through each of them to the last one. */
export const SMALL_WIDE_TABLE: TableShape = {
  transfers: 1,
  members: 1,
  wide: 2,
  rows: 2,
  units: 1,
  low: 1,
  top: 1,
};
export const SMALL_DEPTH = 3;

/**
 * Shape with two slots of each section, in a tree of 64 leaves: the smallest batch that has every kind and
 * every order of slots.
 */
export const BATCH_TABLE: TableShape = {
  transfers: 2,
  members: 2,
  wide: 2,
  rows: 4,
  units: 2,
  low: 1,
  top: 1,
};
export const BATCH_DEPTH = 2;
export async function batchTester(): Promise<CircuitTester> {
  await initPoseidon();
  return CircuitTester.compileSpec(tableCircuitSpec(BATCH_TABLE, BATCH_DEPTH));
}

const testers = new Map<TableShape, Promise<CircuitTester>>();
export function smallTableTester(shape: TableShape = SMALL_TABLE): Promise<CircuitTester> {
  const tester =
    testers.get(shape) ??
    initPoseidon().then(() => CircuitTester.compileSpec(tableCircuitSpec(shape, SMALL_DEPTH)));
  testers.set(shape, tester);
  return tester;
}

interface MixedTable {
  readonly closed: ClosedTableBatch;
  readonly settlements: readonly ReplayedSettlement[];
  /** Narrow operations that have a position in the table, though a wide slot came before them. */
  readonly lateCount: number;
  /** Narrow operations that wide slots took, and that would have had a position in the table without those before them. */
  readonly heldBackCount: number;
}

/** Executes random operations until `count` were tried, wide ones among them; refused ones change nothing. */
export function mixTable(world: RandomLedger, shape: TableShape, count: number): MixedTable {
  const { ledger, random } = world;
  const builder = new TableBuilder(ledger, world.opening(postedShape(shape)));
  const settlements: ReplayedSettlement[] = [];
  const wideIds = new Set<number>();
  let [lateCount, heldBackCount] = [0, 0];
  for (let i = 0; i < count; i++) {
    const operation = world.operation(shape.wide > 0 && random.below(3) === 0);
    if (!builder.hasRoomFor(operation)) continue;
    const posted = "modelId" in operation ? postedOf(ledger, operation) : null;
    try {
      const { slot, trace } = builder.add(operation);
      const { a, b, kind } = trace.record;
      const isInTable = slot < shape.transfers + shape.members;
      if (posted !== null) settlements.push(posted);
      if (isInTable && wideIds.size > 0) lateCount += 1;
      if (!isInTable && kindRule(kind)!.isNarrow && (wideIds.has(a) || wideIds.has(b))) heldBackCount += 1;
      if (!isInTable) wideIds.add(a).add(b);
    } catch (error) {
      if (!(error as { code?: string }).code?.startsWith("OP_")) throw error;
    }
  }
  world.opIndex += BigInt(builder.signedCount);
  return { closed: builder.close(), settlements, lateCount, heldBackCount };
}

export const fillTable = (world: RandomLedger, shape: TableShape, count: number): ClosedTableBatch =>
  mixTable(world, shape, count).closed;

/** C and y that TypeScript computes, and a witness of the circuit at z. */
export async function tableWitness(
  tester: CircuitTester,
  closed: ClosedTableBatch,
  z: bigint,
  depth: number,
) {
  const { data } = closed.batch;
  return {
    commitment: closedCommitment(closed),
    y: evaluate(batchElements(data), z),
    witness: await tester.calculateWitness(closedInputs(closed, z, depth)),
  };
}
