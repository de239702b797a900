/**
 * Checks of a batch's settlements from L1's records: each is of the model's closed epoch, its draws come from
 * the right block, its time had come, J follows from the ledger's own values and the posted totals, and its
 * proof is valid. history-replay.ts applies them.
 */

import {
  type BatchEvent,
  hasCloseEpochs,
  type SettlementOnL1,
  takesSettlement,
} from "@openledger/bridge/l1/l1-history";
import type { RegisteredCircuit } from "@openledger/bridge/l1/rollup-contract";
import { DEFAULT_SPLIT_DELAY_SECONDS, RANDOMNESS_DELAY_BLOCKS } from "@openledger/bridge/l1/settlement-times";
import type { ReplayedSettlement } from "@openledger/circuits/batch/settlement-operation";
import { KIND } from "@openledger/circuits/protocol";
import {
  capOf,
  entrySignals,
  fitsShard,
  provesEntries,
  type SettlementRecord,
  settlementOnL1,
} from "@openledger/circuits/registry/settlement-statement";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { fromContractProof } from "@openledger/circuits/wire/groth16-proof";
import { requireSame, verifyDiffers } from "./verify-error.ts";
import { type VerifyProof, verifierKey } from "./verify-keys.ts";

/** Facts of a block that settlements depend on. */
interface BlockFacts {
  readonly timestamp: bigint;
  readonly prevRandao: bigint;
}
export type ReadBlock = (blockNumber: number) => Promise<BlockFacts>;

interface SettlementReplayModules {
  readonly circuits: readonly RegisteredCircuit[];
  readonly verifyProof: VerifyProof;
  readonly readBlock: ReadBlock;
}

/** Block in which L1 accepted a batch with CloseEpochs, from L1's state. */
export interface KnownClose {
  readonly batchNumber: number;
  readonly blockNumber: number;
  /** Time of that block, in seconds. */
  readonly timestamp: number;
  /** Recorded randomness; null while there is none. */
  readonly prevRandao: bigint | null;
}

interface Taken {
  readonly record: SettlementRecord;
  readonly settlement: SettlementOnL1;
  /** Circuit of its first entry. */
  readonly circuit: RegisteredCircuit;
  readonly cap: number;
}

export class SettlementReplay {
  proofCount = 0;
  /** Settle and Activation records so far. */
  settlementCount = 0;
  /**
   * The index of the circuit that a model's activation names, by the model's id. Only of activations that were
   * checked here.
   */
  readonly namedCircuits = new Map<number, number>();
  /** Blocks of batches with CloseEpochs, by the batch's number. */
  readonly #closingBlocks = new Map<number, number>();
  /** Known times of closing blocks, in seconds. */
  readonly #closingTimes = new Map<number, bigint>();
  readonly #randomness = new Map<number, bigint>();
  readonly #modules: SettlementReplayModules;

  constructor(modules: SettlementReplayModules) {
    this.#modules = modules;
  }

  noteClose(batchNumber: number, blockNumber: number): void {
    this.#closingBlocks.set(batchNumber, blockNumber);
  }

  /**
   * Notes a CloseEpoch that was read before, or that is in the contract's state. Its blocks are not asked for again,
   * so they may be older than what a node keeps.
   */
  seedClose({ batchNumber, blockNumber, prevRandao, timestamp }: KnownClose): void {
    this.#closingBlocks.set(batchNumber, blockNumber);
    this.#closingTimes.set(batchNumber, BigInt(timestamp));
    if (prevRandao !== null) this.#randomness.set(batchNumber, prevRandao);
  }

  /** The block that took a batch with CloseEpochs. */
  closingBlock(batchNumber: number): number | undefined {
    return this.#closingBlocks.get(batchNumber);
  }

  /** Time of the closing block, in seconds. */
  async #closingTime(batchNumber: number): Promise<bigint> {
    const known = this.#closingTimes.get(batchNumber);
    return known ?? (await this.#modules.readBlock(this.#requireCloseEpochBlock(batchNumber))).timestamp;
  }

  /** @throws BRG_VERIFY_DIFFERS where it is not that of the block that the CloseEpoch fixed */
  async noteRandomness(batchNumber: number, prevRandao: bigint): Promise<void> {
    const blockNumber = this.#requireCloseEpochBlock(batchNumber) + RANDOMNESS_DELAY_BLOCKS;
    if (this.#randomness.get(batchNumber) === prevRandao) return;
    const block = await this.#modules.readBlock(blockNumber);
    requireSame(batchNumber, "the randomness of its CloseEpochs", block.prevRandao, prevRandao);
    this.#randomness.set(batchNumber, prevRandao);
  }

  /**
   * Settlements of a batch in the form that `replayBatch` takes. @throws BRG_VERIFY_DIFFERS for a circuit
   * that does not fit
   */
  replayed(event: BatchEvent): ReplayedSettlement[] {
    return this.#taken(event).map(({ cap, settlement }) => ({ ...settlement.posted, cap }));
  }

  /** @returns what the batch's settlements burn. @throws BRG_VERIFY_DIFFERS */
  async check(event: BatchEvent): Promise<bigint> {
    let burnedWei = 0n;
    for (const taken of this.#taken(event)) {
      await this.#checkOne(event, taken);
      burnedWei += taken.record.kind === KIND.settle ? taken.settlement.posted.burnedWei : 0n;
      this.settlementCount += 1;
      if (taken.record.kind === KIND.activation)
        this.namedCircuits.set(taken.record.b, taken.settlement.posted.capCircuit);
    }
    return burnedWei;
  }

  #taken({ batch, settlements }: BatchEvent): Taken[] {
    const batchNumber = Number(batch.batchNumber);
    const { circuits } = this.#modules;
    return batch.wide.filter(takesSettlement).map((record, i) => {
      const settlement = settlements[i]!;
      const circuit = circuits[settlement.circuitIndex];
      const what = `the circuit of the settlement of model ${record.b}`;
      if (circuit === undefined || !isProvenBy(record, settlement, circuits))
        throw verifyDiffers({
          batchNumber,
          what,
          expected: "one that proves it",
          actual: settlement.circuitIndex,
        });
      const cap = capOf(record.kind, settlement.posted, circuits);
      if (cap === null)
        throw verifyDiffers({
          batchNumber,
          what: `the circuit that the settlement of model ${record.b} names`,
          expected: "one that settles its epochs",
          actual: settlement.posted.capCircuit,
        });
      return { record, settlement, circuit, cap };
    });
  }

  async #checkOne({ batch, blockNumber }: BatchEvent, taken: Taken): Promise<void> {
    const { cap, circuit, record, settlement } = taken;
    const number = Number(batch.batchNumber);
    const { posted } = settlement;
    const closingBatch = Number(posted.closingBatch);
    const isSettle = record.kind === KIND.settle;
    const isSampled = isSettle && circuit.sort !== CIRCUIT_SORT.payeeTable;
    const takenAtBlock = settlement.preVerifiedAtBlock ?? blockNumber;
    if (isSettle && !isSampled) await this.#checkDefaultTime(number, closingBatch, takenAtBlock);
    const prevRandao = isSampled ? this.#requireRandomness(number, closingBatch) : 0n;
    const data = settlementOnL1(record, posted, { sort: circuit.sort, cap, prevRandao });
    const entries = [settlement, ...settlement.further].map(({ circuitIndex, commitment, proof }) =>
      circuitIndex === null || commitment === null || proof === null
        ? null
        : { circuit: this.#modules.circuits[circuitIndex]!, commitment, proof },
    );
    // Came in through another contract: L1 has checked the proofs, and holds neither them nor C.
    if (entries.some((entry) => entry === null)) return;
    const known = entries.filter((entry) => entry !== null);
    const signals = entrySignals(
      data,
      known.map(({ circuit: { circuitId }, commitment }) => ({ circuitId, commitment })),
    );
    for (const [i, entry] of known.entries()) {
      const proof = fromContractProof(entry.proof);
      const isValid = await this.#modules.verifyProof(verifierKey(entry.circuit), proof, signals[i]!);
      if (!isValid)
        throw verifyDiffers({
          batchNumber: number,
          what: `the proof of the settlement of model ${record.b}`,
          expected: "valid",
          actual: "invalid",
        });
      this.proofCount += 1;
    }
  }

  async #checkDefaultTime(number: number, closingBatch: number, blockNumber: number): Promise<void> {
    const { readBlock } = this.#modules;
    const taken = await readBlock(blockNumber);
    const earliest = (await this.#closingTime(closingBatch)) + BigInt(DEFAULT_SPLIT_DELAY_SECONDS);
    if (taken.timestamp >= earliest) return;
    throw verifyDiffers({
      batchNumber: number,
      what: "the time of a default split",
      expected: `at least ${earliest}`,
      actual: taken.timestamp,
    });
  }

  #requireCloseEpochBlock(batchNumber: number): number {
    const blockNumber = this.#closingBlocks.get(batchNumber);
    if (blockNumber !== undefined) return blockNumber;
    throw verifyDiffers({
      batchNumber: null,
      what: `the CloseEpochs of batch ${batchNumber}`,
      expected: "none",
      actual: "some",
    });
  }

  #requireRandomness(number: number, closingBatch: number): bigint {
    const prevRandao = this.#randomness.get(closingBatch);
    if (prevRandao !== undefined) return prevRandao;
    throw verifyDiffers({
      batchNumber: number,
      what: "the randomness of a sampled settlement",
      expected: "recorded before it",
      actual: "none",
    });
  }
}

/**
 * True if circuits of the right sorts prove its entries, with room for its payees. Not checked if no event
 * names the circuits.
 */
function isProvenBy(
  { kind }: SettlementRecord,
  { circuitIndex, further, posted }: SettlementOnL1,
  circuits: readonly RegisteredCircuit[],
): boolean {
  const indexes = [circuitIndex, ...further.map((entry) => entry.circuitIndex)];
  const named = indexes.map((index) => (index === null ? null : circuits[index]));
  if (named.includes(undefined)) return false;
  const own = named.filter((circuit) => circuit != null);
  // Circuits of the shards, which follow the draws' own.
  const ofShards = named.slice(named.length - posted.shardCount);
  if (!ofShards.every((circuit, shard) => circuit == null || fitsShard(posted, shard, circuit))) return false;
  return own.length < named.length || provesEntries(sortsOf(own), kind, posted.shardCount);
}

const sortsOf = (circuits: readonly RegisteredCircuit[]) => circuits.map(({ sort }) => sort);

/**
 * Requires that a batch has a CloseEpoch, signed or forced, if and only if the contract recorded one. @throws
 * BRG_VERIFY_DIFFERS
 */
export function requireCloseEpochNoted(event: BatchEvent, blockNumber: number | undefined): void {
  const number = Number(event.batch.batchNumber);
  const hasClose = hasCloseEpochs(event.batch);
  requireSame(
    number,
    "the block of its CloseEpochs",
    hasClose ? event.blockNumber : "none",
    blockNumber ?? "none",
  );
}
