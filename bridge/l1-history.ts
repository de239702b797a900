/**
 * Everything the rollup has on L1, in L1's order, from an L1 node and the contract's address alone: no server of the
 * operator's is asked. Whatever can be wrong with it is the reader's to find (verify.ts); here it is only decoded.
 */
import { decodeFunctionData, type Hex, hexToBytes, isAddressEqual } from "viem";
import { type BatchData, decodeWire } from "../circuits/batch-data.ts";
import { GENESIS_NEXT_ID } from "../circuits/protocol.ts";
import { isRollupError } from "../circuits/rollup-error.ts";
import { rollupAbi } from "../contracts/rollup-abi.ts";
import { bridgeError } from "./bridge-errors.ts";
import { type L1Client, l1Call } from "./l1-client.ts";
import { type RollupLog, readRollupLogs } from "./log-reader.ts";
import type { QueueEntry } from "./operator-client.ts";
import { toQueueEntry } from "./queue-watcher.ts";
import type { ContractProof, RegisteredCircuit, RollupContract } from "./rollup-contract.ts";

export interface GenesisEvent {
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

export interface BatchEvent {
  readonly type: "batch";
  readonly batch: BatchData;
  readonly circuitIndex: number;
  /** null where the batch came in through another contract: its data is in an event, its proof is not. */
  readonly commitment: bigint | null;
  readonly proof: ContractProof | null;
  /** As L1 had them after the batch. */
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

export interface ClaimEvent {
  readonly type: "claim";
  readonly recipient: Hex;
  readonly amountWei: bigint;
}

export interface BurnEvent {
  readonly type: "burn";
  readonly amountWei: bigint;
}

export type HistoryEvent = GenesisEvent | QueueEntryEvent | BatchEvent | CreditEvent | ClaimEvent | BurnEvent;

export interface HistoryOptions {
  readonly rollup: RollupContract;
  /** Defaults to the contract's own block, which is searched for. */
  readonly fromBlock?: bigint;
  readonly toBlock: bigint;
  readonly maxChunkBlocks?: number;
}

const DEFAULT_CHUNK_BLOCKS = 10_000;

/**
 * @throws BRG_HISTORY_UNREADABLE; BRG_BATCH_NOT_IN_CALL; BRG_L1_*
 */
export async function* readL1History(options: HistoryOptions): AsyncGenerator<HistoryEvent> {
  const { rollup, toBlock } = options;
  const { address, client } = rollup;
  const [circuits, domain, idFeeWei] = await Promise.all([
    rollup.circuits(),
    rollup.domain(),
    rollup.idFeeWei(),
  ]);
  // What L1 fills in itself; it follows from the batches before.
  const l1 = { domain, idFeeWei, firstOpIndex: 0n, oldNextId: GENESIS_NEXT_ID };
  const fromBlock = options.fromBlock ?? (await findDeploymentBlock(rollup, toBlock));
  const maxChunkBlocks = options.maxChunkBlocks ?? DEFAULT_CHUNK_BLOCKS;
  for await (const { logs } of readRollupLogs({ client, address, fromBlock, toBlock, maxChunkBlocks })) {
    let submission: Submission | null = null;
    for (const log of logs) {
      if (log.eventName !== "BatchAccepted") {
        const event = toEvent(log);
        if (event !== null) yield event;
        continue;
      }
      const { batchNumber, circuit, newRoot, oldRoot, opIndex, queueHead } = log.args;
      if (submission?.transactionHash !== log.transactionHash)
        submission = await readSubmission(client, log, logs);
      const { commitment, data, proof } = submission.batches.get(batchNumber)!;
      const header = { ...l1, oldRoot, batchNumber };
      const batch = decode(data, circuitOf(circuits, circuit, batchNumber), header);
      if (batch.newRoot !== newRoot)
        throw unreadable(batchNumber, "the call has another new root than the event");
      yield {
        type: "batch",
        batch,
        circuitIndex: circuit,
        commitment,
        proof,
        opIndex,
        queueHead,
        l1TransactionHash: log.transactionHash,
        blockNumber: Number(log.blockNumber),
      };
      l1.firstOpIndex = BigInt(opIndex);
      l1.oldNextId = batch.newNextId;
    }
  }
}

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
    case "WithdrawalClaimed":
      return { type: "claim", recipient: log.args.recipient, amountWei: log.args.amountWei };
    case "AccruedBurned":
      return { type: "burn", amountWei: log.args.amountWei };
    default:
      // BatchAccepted and BatchData are read together; what QueueEntryConsumed says, the batch's data says too.
      return null;
  }
}

interface SubmittedBatch {
  readonly data: Hex;
  readonly commitment: bigint | null;
  readonly proof: ContractProof | null;
}

interface Submission {
  readonly transactionHash: Hex;
  readonly batches: ReadonlyMap<bigint, SubmittedBatch>;
}

/** All batches of the transaction that `first` is an event of. */
async function readSubmission(
  client: L1Client,
  first: RollupLog,
  logs: readonly RollupLog[],
): Promise<Submission> {
  const hash = first.transactionHash;
  const own = logs.filter((log) => log.transactionHash === hash);
  const numbers = own.flatMap((log) => (log.eventName === "BatchAccepted" ? [log.args.batchNumber] : []));
  const emitted = new Map(
    own.flatMap((log) => (log.eventName === "BatchData" ? [[log.args.batchNumber, log.args.data]] : [])),
  );
  const transaction = await l1Call(`read transaction ${hash}`, () => client.getTransaction({ hash }));
  // submitBatches calls no contract, so a call of it is the only one of its transaction.
  const isDirect = transaction.to !== null && isAddressEqual(transaction.to, first.address);
  const call = isDirect ? decodeCall(transaction.input) : null;
  const batches = new Map<bigint, SubmittedBatch>();
  for (const [i, number] of numbers.entries()) {
    const called = call?.batches.length === numbers.length ? call.batches[i]! : null;
    const data = emitted.get(number) ?? called?.data;
    if (data === undefined) {
      throw bridgeError(
        "BRG_BATCH_NOT_IN_CALL",
        `batch ${number} came in through another contract, and no event holds its data`,
        {
          data: { batchNumber: Number(number), transactionHash: hash, to: transaction.to },
        },
      );
    }
    const isCalled = called !== null && called.data === data;
    batches.set(number, {
      data,
      commitment: isCalled ? called.commitment : null,
      proof: isCalled ? call!.proofs[i]! : null,
    });
  }
  return { transactionHash: hash, batches };
}

function decodeCall(input: Hex) {
  try {
    const { args, functionName } = decodeFunctionData({ abi: rollupAbi, data: input });
    if (functionName !== "submitBatches") return null;
    const [batches, proofs] = args;
    return { batches, proofs };
  } catch {
    return null; // Not a call of ours.
  }
}

function circuitOf(
  circuits: readonly RegisteredCircuit[],
  index: number,
  batchNumber: bigint,
): RegisteredCircuit {
  const circuit = circuits[index];
  if (circuit === undefined) throw unreadable(batchNumber, `there is no circuit ${index}`);
  return circuit;
}

function decode(
  data: Hex,
  { narrow, wide }: RegisteredCircuit,
  header: Parameters<typeof decodeWire>[2],
): BatchData {
  try {
    return decodeWire(hexToBytes(data), { narrow, wide }, header);
  } catch (error) {
    if (!isRollupError(error)) throw error;
    throw unreadable(header.batchNumber, error.message, error);
  }
}

function unreadable(batchNumber: bigint, why: string, cause?: unknown) {
  return bridgeError("BRG_HISTORY_UNREADABLE", `batch ${batchNumber}: ${why}`, {
    data: { batchNumber: Number(batchNumber), why },
    cause,
  });
}

/** The first block that has the contract's code, or 0 where the node does not keep old states. */
async function findDeploymentBlock(rollup: RollupContract, toBlock: bigint): Promise<bigint> {
  const { address, client } = rollup;
  const hasCode = (blockNumber: bigint) =>
    l1Call(`read the rollup's code at block ${blockNumber}`, () =>
      client.getCode({ address, blockNumber }),
    ).then((code) => code !== undefined);
  try {
    if (!(await hasCode(toBlock))) {
      throw bridgeError("BRG_HISTORY_UNREADABLE", `there is no contract at ${address}`, {
        data: { address, blockNumber: Number(toBlock) },
      });
    }
    let low = 0n;
    let high = toBlock;
    while (low < high) {
      const middle = (low + high) / 2n;
      if (await hasCode(middle)) high = middle;
      else low = middle + 1n;
    }
    return low;
  } catch (error) {
    if (isRollupError(error, "BRG_L1_REFUSED")) return 0n;
    throw error;
  }
}
