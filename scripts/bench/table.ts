/**
 * Table batches: constraints per operation under three kinds of traffic, of simulated leaves and computed sizes; and random
 * batches, of which the circuit has the C, y and z of TypeScript.
 */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import { closedInputs, closedStatement } from "@openledger/circuits/table/table-builder";
import type { TableShape } from "@openledger/circuits/table/table-shape";
import { holdReplayEqual } from "@openledger/circuits/testing/at-once-world";
import { RandomLedger } from "@openledger/circuits/testing/random-ledger";
import { partConstraints, tableConstraints } from "@openledger/circuits/testing/table-counts";
import { tableTerms, unbalanced } from "@openledger/circuits/testing/table-terms";
import {
  fillTable,
  SMALL_DEPTH,
  SMALL_TABLE,
  smallTableTester,
} from "@openledger/circuits/testing/table-world";
import { measureTableGas } from "@openledger/contracts/testing/measure-table-gas";
import { MODELS, simulate, TRAFFIC } from "./table/table-traffic.ts";

const SIZES = [64, 256, 1024] as const;
/** Operations of a batch with a blob; the largest sections of one sort. */
const BLOB_SIZES = [1024, 2047] as const;
/** Of WideSlot(8); `bench -- ledger` compiles it. */
export const WIDE_SLOT = 27_107;

/** The cheapest split of the window's six levels for exactly these leaves; unused sections have one or two slots. */
export function cheapest(operations: number, rows: number, isPayments: boolean): TableShape {
  const shapes = [1, 2, 3, 4].map(
    (top): TableShape => ({
      ...{ transfers: isPayments ? 1 : operations, members: isPayments ? operations + 1 : 2 },
      ...{ wide: 0, rows, units: isPayments ? MODELS : 1, low: 6 - top, top },
    }),
  );
  const cost = (shape: TableShape) => tableConstraints(shape, TREE_DEPTH, WIDE_SLOT);
  return shapes.reduce((best, shape) => (cost(shape) < cost(best) ? shape : best));
}

export function benchTableCounts() {
  const constraintsPerOperation: Record<string, Record<number, number>> = {};
  for (const name of TRAFFIC) {
    const draw = simulate(name);
    constraintsPerOperation[name] = {};
    for (const operations of SIZES) {
      const rows = new Set(Array.from({ length: operations }, draw).flat()).size;
      const shape = cheapest(operations, rows, name === "payments");
      const each = Math.round(tableConstraints(shape, TREE_DEPTH, WIDE_SLOT) / operations);
      constraintsPerOperation[name][operations] = each;
      const { low, top } = shape;
      console.log(
        `${name}, ${operations} operations: ${rows} leaves, ${low} + ${top} levels, ${each} constraints each`,
      );
    }
  }
  const { transfer, member } = partConstraints(cheapest(64, 64, false), TREE_DEPTH);
  return {
    constraintsPerOperation,
    blobAddsPerOperation: blobCounts(),
    slotConstraints: { transfer, member },
    // One wide slot for 64 operations.
    wideAddsPerOperation: Math.round(WIDE_SLOT / 64),
  };
}

/** What a blob adds to a batch's constraints, per operation: its evaluation, less what y then has not. */
function blobCounts() {
  const added: Record<string, Record<number, number>> = { transfers: {}, payments: {} };
  for (const operations of BLOB_SIZES)
    for (const [traffic, isPayments] of [
      ["transfers", false],
      ["payments", true],
    ] as const) {
      const shape = cheapest(operations + 1, operations, isPayments);
      const even = { ...shape, transfers: shape.transfers + ((shape.transfers + shape.members) % 2) };
      const costOf = (isBlob: boolean) => tableConstraints({ ...even, isBlob }, TREE_DEPTH, WIDE_SLOT);
      const each = (costOf(true) - costOf(false)) / operations;
      added[traffic]![operations] = Math.round(each);
      console.log(`a blob of ${operations} ${traffic}: ${each.toFixed(1)} constraints each`);
    }
  return added;
}

/** Batches of one ledger before a new one begins. */
const BATCHES_PER_LEDGER = 10;

export async function benchTableEquality(count: number) {
  await initPoseidon();
  const tester = await smallTableTester();
  let operations = 0;
  let world = new RandomLedger(1, SMALL_DEPTH);
  for (let i = 0; i < count; i++) {
    if (i % BATCHES_PER_LEDGER === 0) {
      world = new RandomLedger(1 + i, SMALL_DEPTH);
      console.log(`${i} of ${count} batches, ${operations} operations`);
    }
    const closed = fillTable(world, SMALL_TABLE, world.random.below(14));
    const { data } = closed.batch;
    const left = unbalanced(tableTerms(closed.layout, data.feePerUnitWei));
    const { commitment, y, z } = closedStatement(closed, 0n);
    const witness = await tester.calculateWitness(closedInputs(closed, z, SMALL_DEPTH));
    const isEqual = witness[1] === commitment && witness[2] === y && witness[3] === z;
    if (left.length > 0 || !isEqual || tester.checkConstraints(witness) !== null)
      throw new Error(`batch ${i}: the template and the model differ`);
    operations += data.signedCount;
  }
  return { batches: count, operations, different: 0 };
}

/** Replay and the table's equation on random narrow sections, false claims among them. @throws Error where they differ */
export async function benchAtOnce(count: number) {
  await initPoseidon();
  return holdReplayEqual(count, (seed) => {
    if (seed % 50 === 0) console.log(`at once: ${seed} of ${count} batches judged alike`);
  });
}

/** Gas of a batch full of transfers, and of one full of payments, divided by them. Proofs by known trapdoors. */
export async function benchTableGas() {
  console.log("posting batches to a local node");
  return measureTableGas();
}
