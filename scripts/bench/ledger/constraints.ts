/**
 * Constraints of an operation for `npm run bench -- ledger`, under three kinds of traffic. Leaves (entries of the
 * ledger's tree) are simulated for batches that are exactly full, whose sizes are computed, not compiled.
 */
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import type { TableShape } from "@openledger/circuits/table/table-shape";
import { recordedCount } from "@openledger/circuits/testing/constraint-counts";
import { partConstraints, tableConstraints } from "@openledger/circuits/testing/table-counts";
import { MODELS, simulate, TRAFFIC } from "./traffic.ts";

const SIZES = [64, 256, 1024] as const;
/** Operations of a batch with a blob; the largest sections of one sort. */
const BLOB_SIZES = [1024, 2047] as const;
export const WIDE_SLOT = recordedCount("WideSlot(8)");

/** The cheapest split of the window's six levels for exactly these leaves; unused sections have one or two slots. */
export function cheapest(operations: number, rows: number, isPayments: boolean): TableShape {
  const shapes = [1, 2, 3, 4].map(
    (top): TableShape => ({
      transfers: isPayments ? 1 : operations,
      members: isPayments ? operations + 1 : 2,
      wide: 0,
      rows,
      units: isPayments ? MODELS : 1,
      low: 6 - top,
      top,
    }),
  );
  const cost = (shape: TableShape) => tableConstraints(shape, TREE_DEPTH, WIDE_SLOT);
  return shapes.reduce((best, shape) => (cost(shape) < cost(best) ? shape : best));
}

/** Constraints per operation, by traffic and size, and those of the slots alone. */
export function countConstraints() {
  const perOperation: Record<string, Record<number, number>> = {};
  for (const name of TRAFFIC) {
    const draw = simulate(name);
    perOperation[name] = {};
    for (const operations of SIZES) {
      const rows = new Set(Array.from({ length: operations }, draw).flat()).size;
      const shape = cheapest(operations, rows, name === "payments");
      const each = Math.round(tableConstraints(shape, TREE_DEPTH, WIDE_SLOT) / operations);
      perOperation[name][operations] = each;
      console.log(`${name}, ${operations} operations: ${rows} leaves, ${each} constraints each`);
    }
  }
  const { transfer, member } = partConstraints(cheapest(64, 64, false), TREE_DEPTH);
  return { perOperation, blobPerOperation: countBlobs(), slots: { transfer, member, wide: WIDE_SLOT } };
}

/** Constraints per operation that a blob adds: its evaluation, less what y then has not. */
function countBlobs() {
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
