/**
 * Translates between a circuit's name in the registry and its description on L1, a sort and two sizes
 * (docs/reference/settlement.md, "Two circuits"), and finds the circuits for a batch or a settlement among those of a rollup.
 */
import { circuitError } from "../circuit-errors.ts";
import { type BatchShape, type DataSource, dataSourceOf, isBlobShape, shapeName } from "../protocol.ts";
import { CIRCUIT_SORT } from "../settlement/settlement-data.ts";
import {
  columnShape,
  type Misfit,
  type ModelShape,
  misfitOf,
  parseSettlementName,
  type SettlementSize,
  settlementCircuitName,
} from "../settlement/settlement-size.ts";
import {
  parseShardedName,
  parseShardName,
  shardCircuitName,
  shardedCircuitName,
} from "../settlement/shards/shard-size.ts";
import {
  packTable,
  parseTableName,
  postedShape,
  tableIn,
  tableName,
  unpackTable,
} from "../table/table-shape.ts";

/**
 * `size0` and `size1` are, by sort: the table's and the wide slots of a batch; payments and payees of a sampled
 * settlement; 0 and the payees of a payee table; 0 and 0 for a leaf's exit, 1 and the payees of the model's table for
 * a payee's; payments and shards of a sharded settlement; 0 and the payees of a shard.
 */
export interface CircuitSizes {
  readonly sort: number;
  readonly size0: number;
  readonly size1: number;
  /** Sizes of a batch's table (table-shape.ts, `packTable`); 0 or absent for all other sorts. */
  readonly tableSizes?: bigint | undefined;
}

export const batchSizes = ({ narrow, table, wide }: BatchShape): CircuitSizes => ({
  sort: CIRCUIT_SORT.batch,
  size0: narrow,
  size1: wide,
  tableSizes: packTable(table),
});

/** Sizes of the circuit of leaves' exits; with a number of payees, of payees' exits. */
export function exitSizes(payees?: number): CircuitSizes {
  return { sort: CIRCUIT_SORT.exit, size0: payees === undefined ? 0 : 1, size1: payees ?? 0 };
}

/** The registry's name of an exit circuit of these sizes. */
export function exitCircuitName({ size0, size1 }: Pick<CircuitSizes, "size0" | "size1">): string {
  return size0 === 0 ? "leaf-exit" : `payee-exit-${size1}`;
}

/** Shapes of all batch circuits among these. */
export const batchShapesOf = (circuits: readonly CircuitSizes[]): BatchShape[] =>
  circuits.filter(({ sort }) => sort === CIRCUIT_SORT.batch).map(batchShape);

/** The shape of a batch circuit. @throws CIR_CIRCUIT_UNKNOWN for one of another sort; CIR_TABLE_SIZES_UNKNOWN */
export function batchShape({ sort, size0, size1, tableSizes = 0n }: CircuitSizes): BatchShape {
  if (sort === CIRCUIT_SORT.batch) return { narrow: size0, wide: size1, table: unpackTable(tableSizes) };
  throw circuitError("CIR_CIRCUIT_UNKNOWN", `a circuit of sort ${sort} proves no batches`, {
    data: { reason: "not-a-batch-circuit", sort, size0, size1 },
  });
}

/**
 * True for a circuit of batches in calldata. Batches of strangers put nothing into a blob, and any node reads
 * them.
 */
export const isPlainBatch = (sizes: CircuitSizes): boolean =>
  sizes.sort === CIRCUIT_SORT.batch && !isBlobShape(batchShape(sizes));

/**
 * True if all batch circuits use blobs. Nobody but the sequencer can then post a batch: neither queue entries
 * nor pre-verified settlements.
 */
export function hasOnlyBlobBatches(circuits: readonly CircuitSizes[]): boolean {
  const batches = circuits.filter(({ sort }) => sort === CIRCUIT_SORT.batch);
  return batches.length > 0 && !batches.some(isPlainBatch);
}

/** Sizes of a circuit for L1, by its name in the registry. @throws CIR_CIRCUIT_UNKNOWN */
export function sizesOfName(name: string): CircuitSizes {
  const sizes = sizesIn(name);
  if (sizes !== null) return sizes;
  throw circuitError("CIR_CIRCUIT_UNKNOWN", `there is no circuit ${name}`, { data: { name } });
}

function sizesIn(name: string): CircuitSizes | null {
  if (name === "leaf-exit") return exitSizes();
  const [, exit, table] = /^payee-(?:exit-(\d+)|table-(\d+))$/.exec(name) ?? [];
  if (exit !== undefined) return exitSizes(Number(exit));
  if (table !== undefined) return { sort: CIRCUIT_SORT.payeeTable, size0: 0, size1: Number(table) };
  const batch = parseTableName(name);
  if (batch !== null) return batchSizes(postedShape(batch));
  const sharded = parseShardedName(name);
  if (sharded !== null)
    return { sort: CIRCUIT_SORT.shardedSettlement, size0: sharded.payments, size1: sharded.shards };
  const shard = parseShardName(name);
  if (shard !== null) return { sort: CIRCUIT_SORT.shard, size0: 0, size1: shard.payees };
  const one = parseSettlementName(name);
  return one === null ? null : { sort: CIRCUIT_SORT.settlement, size0: one.payments, size1: one.payees };
}

/**
 * True if a circuit with this registry name can have these sizes. Rows, features, draws and kind are not
 * compared.
 */
export function isNameOfSizes(name: string, { size0, size1, sort, tableSizes = 0n }: CircuitSizes): boolean {
  const own = sizesIn(name);
  const isSame = own?.sort === sort && own.size0 === size0 && own.size1 === size1;
  return isSame && (own.tableSizes ?? 0n) === tableSizes;
}

/** Names of the circuits of a size: that of everything, or that of the draws and that of each shard. */
export const settlingNames = ({ shards, ...size }: SettlementSize): string[] =>
  shards === undefined
    ? [settlementCircuitName(size)]
    : [shardedCircuitName({ ...size, shards }), shardCircuitName(size)];

/** Circuits that settle epochs by draws. */
export interface SettlingCircuits<Circuit> {
  /** Size of both circuits. */
  readonly size: SettlementSize;
  /** Circuit of everything, or of the draws. An activation names it. */
  readonly circuit: Circuit;
  /** Circuit of each shard; null if `circuit` proves the only one. */
  readonly shard: Circuit | null;
}

/**
 * All choices among these circuits, by their names: single proofs before sharded ones, then by rows ascending.
 */
export function settlingCircuits<Circuit extends { readonly name: string }>(
  circuits: readonly Circuit[],
): SettlingCircuits<Circuit>[] {
  const choices = circuits.flatMap((circuit): SettlingCircuits<Circuit>[] => {
    const one = parseSettlementName(circuit.name);
    if (one !== null) return [{ size: one, circuit, shard: null }];
    const sharded = parseShardedName(circuit.name);
    if (sharded === null) return [];
    return circuits.flatMap((shard) => {
      const size = parseShardName(shard.name);
      const isFitting =
        size !== null && columnShape(size) === columnShape(sharded) && size.draws === sharded.draws;
      return isFitting ? [{ size: { ...sharded, ...size }, circuit, shard }] : [];
    });
  });
  const rank = ({ shard }: SettlingCircuits<Circuit>) => Number(shard !== null);
  return choices.sort((a, b) => rank(a) - rank(b) || a.size.rows - b.size.rows);
}

/**
 * Why the circuit that an activation names settles no epoch of such a model, with any circuit of shards; null if it
 * does, undefined if it settles nothing.
 */
export function misfitOfNamed(
  circuits: readonly { readonly name: string }[],
  name: string,
  model: ModelShape,
): Misfit | null | undefined {
  const misfits = settlingCircuits(circuits).flatMap(({ circuit, size }) =>
    circuit.name === name ? [misfitOf(size, model)] : [],
  );
  return misfits.includes(null) ? null : misfits[0];
}

/** A circuit that settles nothing: one of shards without the draws' of its features and draws, or the reverse. */
export function unmatchedShardCircuit(names: readonly string[]): string | undefined {
  const choices = settlingCircuits(names.map((name) => ({ name })));
  const matched = new Set(choices.flatMap(({ circuit, shard }) => [circuit.name, shard?.name]));
  const isOfShards = (name: string) => (parseShardedName(name) ?? parseShardName(name)) !== null;
  return names.find((name) => isOfShards(name) && !matched.has(name));
}

// Circuits that prove the sequencer's own batches: the rollup's first, and its twin, which reads the slots from the other data source.

/** Batch circuits by data source; at least one is not null. */
export type DataTwins<Circuit> = Readonly<Record<DataSource, Circuit | null>>;

const nameIn = (shape: BatchShape, source: DataSource): string =>
  shapeName({ ...shape, table: tableIn(shape.table, source) });

/** @throws CIR_CIRCUIT_UNKNOWN if the first circuit proves no batches */
export function dataTwins<Circuit extends CircuitSizes>(circuits: readonly Circuit[]): DataTwins<Circuit> {
  const first = circuits[0]!;
  const shape = batchShape(first);
  const own = dataSourceOf(shape);
  const other = own === "blob" ? "calldata" : "blob";
  const expected = nameIn(shape, other);
  const twin = circuits.find(
    (circuit) => circuit.sort === CIRCUIT_SORT.batch && shapeName(batchShape(circuit)) === expected,
  );
  return own === "blob" ? { blob: first, calldata: twin ?? null } : { blob: twin ?? null, calldata: first };
}

/** Name of a batch circuit's twin; null for the name of another circuit. */
export function twinNameOf(name: string): string | null {
  const shape = parseTableName(name);
  return shape === null ? null : tableName(tableIn(shape, shape.isBlob === true ? "calldata" : "blob"));
}

/** Returns the circuits, followed by the first one's twin unless it is among them. */
export function withTwin(names: readonly string[]): string[] {
  const twin = twinNameOf(names[0]!);
  return twin === null || names.includes(twin) ? [...names] : [...names, twin];
}

/**
 * Shape in which the sequencer opens its own batches. The data source is decided when the batch closes. So if
 * both twins exist, an operation with no position in a blob takes a wide slot under either choice, and a batch
 * that is closed again with the other twin has each operation in the same slot.
 * @throws CIR_CIRCUIT_UNKNOWN
 */
export function openingShape(circuits: readonly CircuitSizes[]): BatchShape {
  const { blob, calldata } = dataTwins(circuits);
  return batchShape((blob ?? calldata)!);
}
