/** What L1 makes of a posted settlement: the elements that it fills in itself, and the statement of the proof. */
import { challenge, evaluate } from "@openledger/circuits/field/element-vector";
import { KIND } from "@openledger/circuits/protocol";
import type { CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import {
  CIRCUIT_SORT,
  fitsElements,
  type PostedSettlement,
  type SettlementData,
  settlementElements,
} from "@openledger/circuits/settlement/settlement-data";
import { drawSeed } from "@openledger/circuits/settlement/settlement-split";

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
  const isSampled = record.kind === KIND.settle && l1.sort === CIRCUIT_SORT.settlement;
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

/** C, y, z of a settlement's proof for the C that its submitter gives. @throws CIR_WIRE_MALFORMED */
export function settlementSignals(
  data: SettlementData,
  circuitId: bigint,
  commitment: bigint,
): [commitment: bigint, y: bigint, z: bigint] {
  const elements = settlementElements(data);
  const z = challenge(circuitId, commitment, elements);
  return [commitment, evaluate(elements, z), z];
}

/** Payments of the settlement circuit that an activation names, or null where it names none. A Settle has no cap: 0. */
export function capOf(
  kind: number,
  posted: PostedSettlement,
  circuits: readonly CircuitSizes[],
): number | null {
  if (kind === KIND.settle) return posted.capCircuit === 0 ? 0 : null;
  const named = circuits[posted.capCircuit];
  return named?.sort === CIRCUIT_SORT.settlement && fitsPayees(posted, named) ? named.size0 : null;
}

/** Whether it has neither an item element nor a payee beyond the circuit's. */
export function fitsPayees(posted: PostedSettlement, { size1 }: CircuitSizes): boolean {
  return fitsElements(posted, size1) && posted.items.slice(size1).every((item) => item === 0n);
}

/** Whether a circuit of this sort may prove a record of this kind: an activation only a payee table. */
export function provesKind(sort: number, kind: number): boolean {
  return sort === CIRCUIT_SORT.payeeTable || (sort === CIRCUIT_SORT.settlement && kind === KIND.settle);
}
