/**
 * The rollup's whole history on L1, in L1's order, from an L1 node and the contract's address alone: no server of the
 * operator's is used. It is only decoded here; its reader must check it (verify.ts).
 */

import type { BatchData, L1Header } from "@openledger/circuits/batch/batch-data";
import { GENESIS_NEXT_ID, KIND } from "@openledger/circuits/protocol";
import { batchShape } from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT, type PostedSettlement } from "@openledger/circuits/settlement/settlement-data";
import type { ContractProof } from "@openledger/circuits/wire/groth16-proof";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Hex, hexToBytes } from "viem";
import type { VersionedHash } from "../blobs/blob-source.ts";
import { type ReadBatch, readPostedBatch } from "../blobs/read-batch.ts";
import { bridgeError } from "../bridge-errors.ts";
import { findDeploymentBlock } from "./deployment-block.ts";
import { l1Call } from "./l1-client.ts";
import { logsIncomplete, type RollupLog, readRollupLogs } from "./log-reader.ts";
import { type QueueEntry, toQueueEntry } from "./queue-entry.ts";
import type { RegisteredCircuit, RollupContract } from "./rollup-contract.ts";
import { readSubmission, type Submission, takesSettlementOnL1 } from "./submission/l1-submission.ts";
import { type BatchPosition, batchMalformed } from "./submission/malformed-batch.ts";
import { postedBy, type SubmittedEntry, type SubmittedSettlement } from "./submission/submitted-part.ts";

interface GenesisEvent {
  readonly type: "genesis";
  readonly root: bigint;
  readonly treasuryOwner: Hex;
  readonly operatorOwner: Hex;
  readonly operatorKeyX: bigint;
}

export interface QueueEntryEvent extends QueueEntry {
  readonly type: "queue-entry";
  readonly burnedFeeWei: bigint;
}

/** Settlement that a Settle or Activation record took. */
export interface SettlementOnL1 {
  /** Circuit of its first entry, like C and the proof. */
  readonly circuitIndex: number;
  /** Further entries; empty for a settlement of one shard. */
  readonly further: readonly SubmittedEntry[];
  readonly posted: PostedSettlement;
  /** The block in which it was pre-verified; null where it came with its batch. */
  readonly preVerifiedAtBlock: number | null;
  /** C; null where it came in through another contract, as for a batch. */
  readonly commitment: bigint | null;
  readonly proof: ContractProof | null;
}

export interface BatchEvent {
  readonly type: "batch";
  readonly batch: BatchData;
  /** One for each Settle and Activation record, in their order. */
  readonly settlements: readonly SettlementOnL1[];
  readonly circuitIndex: number;
  /** Fee that a refused deposit to a leaf burns, in wei. */
  readonly queueBaseFeeWei: bigint;
  /** C; null where the batch came in through another contract: its data is in an event, its proof is not. */
  readonly commitment: bigint | null;
  readonly proof: ContractProof | null;
  /** Posted bytes. */
  readonly wire: Uint8Array;
  /** Versioned hash of the blob with its narrow slots; null where they are in the posted bytes. */
  readonly versionedHash: VersionedHash | null;
  /** Value on L1 after the batch, like `queueHead`. */
  readonly opIndex: number;
  readonly queueHead: number;
  readonly l1TransactionHash: Hex;
  readonly blockNumber: number;
}

export interface CreditEvent {
  readonly type: "credit";
  readonly recipient: Hex;
  readonly batchNumber: number;
  readonly amountWei: bigint;
}

interface PayoutEvent {
  readonly type: "payout";
  readonly recipient: Hex;
  readonly amountWei: bigint;
}

interface BurnEvent {
  readonly type: "burn";
  readonly amountWei: bigint;
}

/** Event of the freeze. No batch comes after it. */
interface FrozenEvent {
  readonly type: "frozen";
  readonly root: bigint;
  readonly batchNumber: number;
}

/** The balance of a leaf, or of a payee's role, was credited (docs/reference/exits.md). */
export interface ExitEvent {
  readonly type: "exit";
  readonly key: bigint;
  readonly recipient: Hex;
  readonly amountWei: bigint;
}

/** A waiting entry of a frozen queue was deleted. */
export interface RefundEvent {
  readonly type: "refund";
  readonly queueIndex: number;
  readonly sender: Hex;
  /** 0 for forced operations. */
  readonly refundedWei: bigint;
}

/** A batch's CloseEpochs: before the batch's own event. */
interface CloseEvent {
  readonly type: "closeEpoch";
  readonly batchNumber: number;
  readonly blockNumber: number;
}

interface RandomnessEvent {
  readonly type: "randomness";
  readonly batchNumber: number;
  readonly prevRandao: bigint;
}

export type HistoryEvent =
  | GenesisEvent
  | QueueEntryEvent
  | BatchEvent
  | CreditEvent
  | PayoutEvent
  | BurnEvent
  | CloseEvent
  | RandomnessEvent
  | FrozenEvent
  | ExitEvent
  | RefundEvent;

export interface HistoryOptions {
  readonly rollup: RollupContract;
  /** First block; default: the contract's own block, which is searched for. */
  readonly fromBlock?: bigint;
  readonly toBlock: bigint;
  readonly maxChunkBlocks?: number;
  /** Position after the last skipped batch: batches up to it, and their credits, are not read. */
  readonly after?: {
    readonly batchNumber: number;
    readonly opIndex: number;
    readonly nextId: number;
    /** Absent: what older records show is not required of the logs. */
    readonly known?: KnownRecords;
  };
}

/** Records of the reader: those that it had before, and those that it has taken from this history so far. */
export interface KnownRecords {
  /** Index of the first queue entry that the reader lacks. */
  nextEntry(): number;
  /** True if the reader has the block of the batch's CloseEpochs. */
  hasCloses(batchNumber: number): boolean;
  /** True if the reader has the freeze. */
  isFrozen(): boolean;
}

const DEFAULT_CHUNK_BLOCKS = 10_000;
const GENESIS_POSITION = { batchNumber: 0, opIndex: 0, nextId: GENESIS_NEXT_ID };

/**
 * Reads the history. Nothing that a node's logs leave out is passed over: what a batch builds on, and what the contract has
 * counted at the end, must have come. Randomness that a settlement needs is asked for by its batch.
 * @throws BRG_L1_LOGS_INCOMPLETE where an event is missing that another, or the contract, shows; BRG_BATCH_MALFORMED; BRG_BLOB_*
 * where nobody gives a batch's blob; BRG_HISTORY_UNREADABLE; BRG_BATCH_NOT_IN_CALL; BRG_L1_*
 */
export async function* readL1History(options: HistoryOptions): AsyncGenerator<HistoryEvent> {
  const { rollup, toBlock } = options;
  const { address, client } = rollup;
  const [circuits, domain, idFeeWei, queueBaseFeeWei] = await Promise.all([
    rollup.circuits(),
    rollup.domain(),
    rollup.idFeeWei(),
    rollup.queueBaseFeeWei(),
  ]);
  // Values that L1 fills in itself; they follow from the batches before.
  const { batchNumber: skippedNumber, nextId, opIndex } = options.after ?? GENESIS_POSITION;
  let lastNumber = BigInt(skippedNumber);
  const l1 = { domain, idFeeWei, firstOpIndex: BigInt(opIndex), oldNextId: nextId };
  const fromBlock = options.fromBlock ?? (await findDeploymentBlock(rollup, toBlock));
  const maxChunkBlocks = options.maxChunkBlocks ?? DEFAULT_CHUNK_BLOCKS;
  const told = new ToldEvents(fromBlock, toBlock, options.after?.known);
  for await (const { logs } of readRollupLogs({ client, address, fromBlock, toBlock, maxChunkBlocks })) {
    let submission: Submission | null = null;
    let takenCount = 0;
    for (const log of logs) {
      if (log.eventName !== "BatchAccepted") {
        const event = toEvent(log);
        if (event !== null) told.note(event);
        const isSkipped = event?.type === "credit" && event.batchNumber <= skippedNumber;
        if (event !== null && !isSkipped) yield event;
        continue;
      }
      const { batchNumber, circuit, newRoot, oldRoot, opIndex, queueHead } = log.args;
      if (batchNumber <= skippedNumber) continue;
      if (batchNumber !== lastNumber + 1n)
        throw logsIncomplete(`batch ${lastNumber + 1n}`, fromBlock, toBlock);
      lastNumber = batchNumber;
      if (submission?.transactionHash !== log.transactionHash) {
        submission = await readSubmission(client, log, logs);
        // Settlements of skipped batches in the same transaction.
        takenCount = logs.filter(
          (other) =>
            takesSettlementOnL1(other) &&
            other.transactionHash === log.transactionHash &&
            other.args.batchNumber <= skippedNumber,
        ).length;
      }
      const { commitment, data, proof } = submission.batches.get(batchNumber)!;
      const header = { ...l1, oldRoot, batchNumber };
      const position = {
        batchNumber: Number(batchNumber),
        transactionHash: log.transactionHash,
        blockNumber: Number(log.blockNumber),
      };
      const wire = hexToBytes(data);
      const read = await decode(rollup, wire, circuitOf(circuits, circuit, batchNumber), header, position);
      const { batch, versionedHash } = read;
      if (batch.newRoot !== newRoot)
        throw unreadable(batchNumber, "the call has another new root than the event");
      const settlementCount = batch.wide.filter(takesSettlement).length;
      const taken = submission.settlements.slice(takenCount, takenCount + settlementCount);
      if (taken.length !== settlementCount)
        throw unreadable(batchNumber, "the contract's events name fewer settlements than its records take");
      takenCount += settlementCount;
      told.requireBefore(batch, Number(queueHead));
      const settlements = taken.map((settlement) => decodeTaken(settlement, batchNumber));
      for (const closingBatch of told.untoldRandomness(batch, settlements)) {
        const prevRandao = await rollup.randomness(closingBatch, { blockNumber: toBlock });
        if (prevRandao !== 0n) yield { type: "randomness", batchNumber: closingBatch, prevRandao };
      }
      yield {
        type: "batch",
        queueBaseFeeWei,
        batch,
        settlements,
        circuitIndex: circuit,
        commitment,
        proof,
        wire,
        versionedHash,
        opIndex,
        queueHead,
        l1TransactionHash: log.transactionHash,
        blockNumber: Number(log.blockNumber),
      };
      l1.firstOpIndex = BigInt(opIndex);
      l1.oldNextId = batch.newNextId;
    }
  }
  const at = { blockNumber: toBlock };
  const [state, queueTail] = await Promise.all([rollup.state(at), rollup.queueTail(at)]);
  if (lastNumber < state.batchNumber)
    throw lastNumber === 0n && !told.isWhole
      ? withoutBeginning()
      : logsIncomplete(`batch ${lastNumber + 1n}`, fromBlock, toBlock);
  told.requireQueueTo(Number(queueTail));
  told.requireFreeze(state.isFrozen);
}

/** Error of a node that does not have the rollup's first blocks. */
export const withoutBeginning = () =>
  bridgeError(
    "BRG_HISTORY_INCOMPLETE",
    "the Ethereum node's logs do not begin with the rollup's first event",
  );

/** Events that the node's logs have told so far, and the reader's own before them. */
class ToldEvents {
  readonly #range: readonly [bigint, bigint];
  readonly #known: KnownRecords | undefined;
  /** Index of the next entry; null where the logs began behind the genesis and had no entry yet. */
  #nextQueueIndex: number | null = null;
  /** True once they have told the genesis. */
  isWhole = false;
  #isFrozen = false;
  readonly #closes = new Set<number>();
  readonly #randomness = new Set<number>();

  constructor(fromBlock: bigint, toBlock: bigint, known: KnownRecords | undefined) {
    this.#range = [fromBlock, toBlock];
    this.#known = known;
  }

  note(event: HistoryEvent): void {
    if (event.type === "genesis") {
      this.isWhole = true;
      this.#nextQueueIndex = 0;
    }
    if (event.type === "frozen") this.#isFrozen = true;
    if (event.type === "closeEpoch") this.#closes.add(event.batchNumber);
    if (event.type === "randomness") this.#randomness.add(event.batchNumber);
    if (event.type !== "queue-entry") return;
    this.requireQueueTo(event.queueIndex);
    this.#nextQueueIndex = event.queueIndex + 1;
  }

  /** @throws BRG_L1_LOGS_INCOMPLETE where the batch takes an entry, or closes an epoch, of which the logs have nothing */
  requireBefore(batch: BatchData, queueHead: number): void {
    this.requireQueueTo(queueHead);
    const number = Number(batch.batchNumber);
    const isTold = this.#closes.has(number) || this.#known?.hasCloses(number) === true;
    if (hasCloseEpochs(batch) && !isTold)
      throw logsIncomplete(`the CloseEpochs of batch ${number}`, ...this.#range);
  }

  requireQueueTo(end: number): void {
    const next = this.#known?.nextEntry() ?? this.#nextQueueIndex;
    if (next !== null && next < end) throw logsIncomplete(`queue entry ${next}`, ...this.#range);
  }

  requireFreeze(isFrozen: boolean): void {
    const isTold = this.#isFrozen || this.#known?.isFrozen() === true;
    const hasBefore = this.isWhole || this.#known !== undefined;
    if (isFrozen && hasBefore && !isTold) throw logsIncomplete("the freeze", ...this.#range);
  }

  /** Closing batches of the batch's settlements whose randomness the logs have not told, or told before they began. */
  untoldRandomness({ wide }: BatchData, settlements: readonly SettlementOnL1[]): number[] {
    const settled = wide
      .filter(takesSettlement)
      .flatMap(({ kind }, i) => (kind === KIND.settle ? [Number(settlements[i]!.posted.closingBatch)] : []));
    return [...new Set(settled)].filter((batchNumber) => !this.#randomness.has(batchNumber));
  }
}

/** True for a batch with a CloseEpoch, signed or forced. */
export const hasCloseEpochs = ({ wide }: BatchData): boolean =>
  wide.some(({ isValid, kind }) => kind === KIND.closeEpoch || (kind === KIND.forcedCloseEpoch && isValid));

function toEvent(log: RollupLog): HistoryEvent | null {
  switch (log.eventName) {
    case "GenesisSet": {
      const { genesisRoot: root, operatorKeyX, operatorOwner, treasuryOwner } = log.args;
      return { type: "genesis", root, treasuryOwner, operatorOwner, operatorKeyX };
    }
    case "QueueEntryAdded":
      return { type: "queue-entry", ...toQueueEntry(log), burnedFeeWei: log.args.burnedFeeWei };
    case "WithdrawalCredited": {
      const { amountWei, batchNumber, recipient } = log.args;
      return { type: "credit", recipient, batchNumber: Number(batchNumber), amountWei };
    }
    case "WithdrawalFinalized":
      return { type: "payout", recipient: log.args.recipient, amountWei: log.args.amountWei };
    case "EpochsClosed":
      return {
        type: "closeEpoch",
        batchNumber: Number(log.args.batchNumber),
        blockNumber: Number(log.blockNumber),
      };
    case "RandomnessRecorded":
      return {
        type: "randomness",
        batchNumber: Number(log.args.batchNumber),
        prevRandao: log.args.prevRandao,
      };
    case "AccruedBurned":
      return { type: "burn", amountWei: log.args.amountWei };
    case "Frozen":
      return { type: "frozen", root: log.args.root, batchNumber: Number(log.args.batchNumber) };
    case "Exited": {
      const { amountWei, key, recipient } = log.args;
      return { type: "exit", key, recipient, amountWei };
    }
    case "EntryRefunded": {
      const { index, refundedWei, sender } = log.args;
      return { type: "refund", queueIndex: Number(index), sender, refundedWei };
    }
    default:
      // BatchAccepted and BatchData are read together, and so are the events of settlements; what QueueEntryConsumed
      // says, the batch's data says too.
      return null;
  }
}

function circuitOf(
  circuits: readonly RegisteredCircuit[],
  index: number,
  batchNumber: bigint,
): RegisteredCircuit {
  const circuit = circuits[index];
  if (circuit?.sort !== CIRCUIT_SORT.batch)
    throw unreadable(batchNumber, `there is no batch circuit ${index}`);
  return circuit;
}

export const takesSettlement = ({ kind }: { kind: number }): boolean =>
  kind === KIND.settle || kind === KIND.activation;

function decodeTaken(taken: SubmittedSettlement, batchNumber: bigint): SettlementOnL1 {
  const { circuitIndex, commitment, further, preVerifiedAtBlock, proof } = taken;
  try {
    return { circuitIndex, commitment, further, proof, preVerifiedAtBlock, posted: postedBy(taken) };
  } catch (error) {
    if (!isRollupError(error)) throw error;
    throw unreadable(batchNumber, error.message, error);
  }
}

/** Decodes a batch. The contract checks lengths, counts and kinds; the circuit checks the rest. */
async function decode(
  { blobs, client }: RollupContract,
  wire: Uint8Array,
  circuit: RegisteredCircuit,
  header: L1Header,
  position: BatchPosition,
): Promise<ReadBatch> {
  const { batchNumber, blockNumber } = position;
  const blockTimeSeconds = async () => {
    const at = { blockNumber: BigInt(blockNumber) };
    return Number((await l1Call(`read block ${blockNumber}`, () => client.getBlock(at))).timestamp);
  };
  try {
    return await readPostedBatch(wire, batchShape(circuit), header, {
      blobs,
      batchNumber,
      blockNumber,
      blockTimeSeconds,
    });
  } catch (error) {
    // A missing blob, or a missing block, is no fault of the batch.
    if (!isRollupError(error) || !error.code.startsWith("CIR_")) throw error;
    throw batchMalformed(position, error);
  }
}

function unreadable(batchNumber: bigint, why: string, cause?: unknown) {
  return bridgeError("BRG_HISTORY_UNREADABLE", `batch ${batchNumber}: ${why}`, {
    data: { batchNumber: Number(batchNumber), why },
    cause,
  });
}
