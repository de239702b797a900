/**
 * Table batches: constraints per operation under three kinds of traffic, of simulated leaves and computed sizes; and random
 * batches, of which the circuit has the C, y and z of TypeScript.
 */
import { initPoseidon } from "../../circuits/field/poseidon.ts";
import { TREE_DEPTH } from "../../circuits/protocol.ts";
import { closedTableInputs } from "../../circuits/table/table-builder.ts";
import { partConstraints, tableConstraints } from "../../circuits/table/table-counts.ts";
import { tableStatement } from "../../circuits/table/table-data.ts";
import type { TableShape } from "../../circuits/table/table-shape.ts";
import { tableTerms, unbalanced } from "../../circuits/table/table-terms.ts";
import { holdReplayEqual } from "../../circuits/testing/at-once-world.ts";
import { RandomLedger } from "../../circuits/testing/random-ledger.ts";
import { fillTable, SMALL_DEPTH, SMALL_TABLE, smallTableTester } from "../../circuits/testing/table-world.ts";
import { measureTableGas } from "../../contracts/testing/measure-table-gas.ts";

const ACCOUNTS = 262_144;
const MODELS = 16;
const SIZES = [64, 256, 1024] as const;
/** Of WideSlot(8); `bench -- ledger` compiles it. */
const WIDE_SLOT = 25_608;

/** mulberry32: the figures follow from the seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws accounts with probability 1 / rank; ranks are spread over the ids. */
function zipf(random: () => number): () => number {
  const sums = new Float64Array(ACCOUNTS);
  let total = 0;
  for (let i = 0; i < ACCOUNTS; i++) sums[i] = total += 1 / (i + 1);
  const ids = Uint32Array.from(sums, (_, i) => i);
  for (let i = ACCOUNTS - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [ids[i], ids[j]] = [ids[j]!, ids[i]!];
  }
  return () => {
    const wanted = random() * total;
    let [low, high] = [0, ACCOUNTS - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return ids[low]!;
  };
}

/** The cheapest split of the window's six levels for exactly these leaves; unused sections have one or two slots. */
function cheapest(operations: number, rows: number, isPayments: boolean): TableShape {
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
  const random = seeded(12_345);
  const uniform = () => Math.floor(random() * ACCOUNTS);
  const skewed = zipf(random);
  const traffic = {
    payments: () => [uniform(), Math.floor(random() * MODELS) * 1000],
    zipf: () => [skewed(), skewed()],
    uniform: () => [uniform(), uniform()],
  };
  const constraintsPerOperation: Record<string, Record<number, number>> = {};
  for (const [name, draw] of Object.entries(traffic)) {
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
    slotConstraints: { transfer, member },
    // One wide slot for 64 operations.
    wideAddsPerOperation: Math.round(WIDE_SLOT / 64),
  };
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
    const { commitment, y, z } = tableStatement(data, closed.layout, 0n);
    const witness = await tester.calculateWitness(closedTableInputs(closed, z, SMALL_DEPTH));
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
  console.log("posting table batches to a local node");
  return measureTableGas();
}
