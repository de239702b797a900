/**
 * L1's view of a posted settlement: the elements that the contract fills in itself, and the statement (public inputs)
 * of the proof. Sequencer and verifiers check settlements by it.
 */
import { challenge, evaluate } from "../field/element-vector.ts";
import { KIND } from "../protocol.ts";
import {
  CIRCUIT_SORT,
  entryElements,
  fitsElements,
  type PostedSettlement,
  type SettlementData,
  shardItems,
} from "../settlement/settlement-data.ts";
import { drawSeed } from "../settlement/settlement-split.ts";
import type { CircuitSizes } from "./circuit-sizes.ts";

/** A Settle or Activation record: its kind, its model and J. */
export interface SettlementRecord {
  readonly kind: number;
  readonly b: number;
  readonly words: readonly bigint[];
}

/**
 * The settlement with what L1 adds to the posted bytes.
 * @param l1.sort of the circuit that proves it
 * @param l1.cap payments of the settlement circuit that an activation names; 0 for a Settle
 * @param l1.prevRandao as recorded for the CloseEpoch's batch; only a sampled settlement has a seed
 */
export function settlementOnL1(
  record: SettlementRecord,
  posted: PostedSettlement,
  l1: { readonly sort: number; readonly cap: number; readonly prevRandao: bigint },
): SettlementData {
  const modelId = record.b;
  const isSampled = record.kind === KIND.settle && l1.sort !== CIRCUIT_SORT.payeeTable;
  const { chain, epoch } = posted;
  return {
    ...posted,
    settlementHash: record.words[0]!,
    modelId,
    isActivation: record.kind === KIND.activation,
    cap: l1.cap,
    seed: isSampled ? drawSeed({ prevRandao: l1.prevRandao, modelId, epoch, chain }) : 0n,
  };
}

type Signals = [commitment: bigint, y: bigint, z: bigint];

/**
 * Public signals C, y, z of the proof of a settlement's first entry, for the submitter's C. @throws
 * CIR_WIRE_MALFORMED
 */
export const settlementSignals = (data: SettlementData, circuitId: bigint, commitment: bigint): Signals =>
  signalsOf(entryElements(data)[0]!, circuitId, commitment);

/** The same of every entry; `entries` in their order. @throws CIR_WIRE_MALFORMED */
export const entrySignals = (
  data: SettlementData,
  entries: readonly { readonly circuitId: bigint; readonly commitment: bigint }[],
): Signals[] =>
  entryElements(data).map((elements, i) =>
    signalsOf(elements, entries[i]!.circuitId, entries[i]!.commitment),
  );

function signalsOf(elements: readonly bigint[], circuitId: bigint, commitment: bigint): Signals {
  const z = challenge(circuitId, commitment, elements);
  return [commitment, evaluate(elements, z), z];
}

/**
 * Cap of an activation: the payments of the circuit that it names; null if that circuit does not settle so many shards.
 * A Settle names no circuit and has the cap 0; null if it names one.
 */
export function capOf(
  kind: number,
  posted: PostedSettlement,
  circuits: readonly CircuitSizes[],
): number | null {
  if (kind === KIND.settle) return posted.capCircuit === 0 ? 0 : null;
  const named = circuits[posted.capCircuit];
  const { shardCount } = posted;
  const settles =
    shardCount === 1
      ? named?.sort === CIRCUIT_SORT.settlement && fitsPayees(posted, named)
      : named?.sort === CIRCUIT_SORT.shardedSettlement && shardCount <= named.size1;
  return settles ? named!.size0 : null;
}

/** True if no shard has an item element or a payee beyond the circuit's. */
const fitsPayees = (posted: PostedSettlement, circuit: CircuitSizes): boolean =>
  shardItems(posted).every((_, shard) => fitsShard(posted, shard, circuit));

/** True if the same holds for one shard: each may have a circuit of its own. */
export function fitsShard(posted: PostedSettlement, shard: number, { size1 }: CircuitSizes): boolean {
  const beyond = shardItems(posted)[shard]!.slice(size1);
  return fitsElements(posted, shard, size1) && beyond.every((item) => item === 0n);
}

/**
 * True if circuits of these sorts, in the order of the entries, may prove a record of this kind with so many
 * shards.
 */
export function provesEntries(sorts: readonly number[], kind: number, shardCount: number): boolean {
  const { payeeTable, settlement, shard, shardedSettlement } = CIRCUIT_SORT;
  const shards = (sort: number) => Array<number>(shardCount).fill(sort);
  const ways = [shards(payeeTable)];
  if (kind === KIND.settle)
    ways.push(shardCount === 1 ? [settlement] : [shardedSettlement, ...shards(shard)]);
  return ways.some((way) => way.length === sorts.length && way.every((sort, i) => sort === sorts[i]));
}
