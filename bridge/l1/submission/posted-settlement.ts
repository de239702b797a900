/** Finds an epoch's settlement on L1 by the contract's own event, for whoever verifies the settlement. */
import { decodeWire } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";
import { batchShape } from "@openledger/circuits/registry/circuit-sizes";
import { type Hex, hexToBytes } from "viem";
import { l1Call } from "../l1-client.ts";
import { findEventBlock, logsIncomplete, type RollupLog, readRollupLogs } from "../log-reader.ts";
import type { RollupContract } from "../rollup-contract.ts";
import { readSubmission, takesSettlementOnL1 } from "./l1-submission.ts";
import { postedBy, type SubmittedSettlement } from "./submitted-part.ts";

export interface SettledEpochKey {
  readonly modelId: number;
  readonly epoch: number;
  /** The batch with the Settle. */
  readonly batchNumber: number;
  /** The batch with the epoch's CloseEpoch: its settlement is not in an older block. */
  readonly closingBatch: number;
}

interface PostedSettlementOnL1 {
  readonly transactionHash: Hex;
  readonly blockNumber: bigint;
  readonly submitted: SubmittedSettlement;
}

type AcceptedLog = RollupLog & { eventName: "SettlementAccepted" | "PreVerifiedSettlementTaken" };

/**
 * Finds an epoch's settlement by its event, not by a transaction's hash: nodes forget hashes after about a year
 * (l1-submission.ts). The event also shows that the contract has taken the settlement.
 * @returns null where that batch settles no such epoch
 * @throws BRG_L1_LOGS_INCOMPLETE where the contract has the batch, and the logs lack it or its settlement
 * @throws BRG_BATCH_NOT_IN_CALL, BRG_HISTORY_UNREADABLE, BRG_L1_*
 */
export async function findPostedSettlement(
  rollup: RollupContract,
  key: SettledEpochKey,
): Promise<PostedSettlementOnL1 | null> {
  const { address, client } = rollup;
  const toBlock = await l1Call("read the newest block's number", () => client.getBlockNumber());
  const fromBlock = BigInt((await rollup.closedAt(key.closingBatch)).blockNumber);
  const args = { modelId: BigInt(key.modelId), batchNumber: BigInt(key.batchNumber) };
  const range = { address, client, fromBlock, toBlock };
  let isOfOtherEpoch = false;
  for (const eventName of ["SettlementAccepted", "PreVerifiedSettlementTaken"] as const) {
    const blockNumber = await findEventBlock(eventName, { ...range, args });
    const found = blockNumber === null ? null : await readIn(rollup, blockNumber, key);
    if (found !== null) return found;
    isOfOtherEpoch ||= blockNumber !== null;
  }
  if (!isOfOtherEpoch && (await takesModelIn(rollup, key, range)))
    throw logsIncomplete(
      `the settlement of model ${key.modelId} in batch ${key.batchNumber}`,
      fromBlock,
      toBlock,
    );
  return null;
}

/**
 * True for a batch with a Settle record of the model, by the batch's posted bytes: the contract takes a settlement for each.
 * @throws BRG_L1_LOGS_INCOMPLETE where the contract counts the batch and the logs lack it
 */
async function takesModelIn(
  rollup: RollupContract,
  { batchNumber, modelId }: SettledEpochKey,
  range: Parameters<typeof findEventBlock>[1],
): Promise<boolean> {
  if ((await rollup.state()).batchNumber < BigInt(batchNumber)) return false;
  const { address, client, fromBlock, toBlock } = range;
  const lacksBatch = () => logsIncomplete(`batch ${batchNumber}`, fromBlock, toBlock);
  const args = { batchNumber: BigInt(batchNumber) };
  const blockNumber = await findEventBlock("BatchAccepted", { ...range, args });
  if (blockNumber === null) throw lacksBatch();
  const block = { fromBlock: blockNumber, toBlock: blockNumber, maxChunkBlocks: 1 };
  for await (const { logs } of readRollupLogs({ client, address, ...block })) {
    const log = logs.find((one) => isBatch(one, batchNumber));
    if (log === undefined) continue;
    const circuit = (await rollup.circuits())[log.args.circuit]!;
    const { batches } = await readSubmission(client, log, logs);
    // Values that L1 fills in: no wide record's kind or model depends on them.
    const l1 = { ...log.args, domain: 0n, firstOpIndex: 0n, oldNextId: 0, idFeeWei: 0n };
    const { data } = batches.get(log.args.batchNumber)!;
    const { wide } = decodeWire(hexToBytes(data), batchShape(circuit), l1);
    return wide.some(({ b, kind }) => kind === KIND.settle && b === modelId);
  }
  throw lacksBatch();
}

type BatchLog = RollupLog & { eventName: "BatchAccepted" };
const isBatch = (log: RollupLog, batchNumber: number): log is BatchLog =>
  log.eventName === "BatchAccepted" && Number(log.args.batchNumber) === batchNumber;

async function readIn(
  { address, client }: RollupContract,
  blockNumber: bigint,
  key: SettledEpochKey,
): Promise<PostedSettlementOnL1 | null> {
  const block = { fromBlock: blockNumber, toBlock: blockNumber, maxChunkBlocks: 1 };
  for await (const { logs } of readRollupLogs({ client, address, ...block })) {
    const log = logs.find((one): one is AcceptedLog => isOf(one, key));
    if (log === undefined) continue;
    const { transactionHash } = log;
    const taken = logs.filter((one) => one.transactionHash === transactionHash && takesSettlementOnL1(one));
    const { settlements } = await readSubmission(client, log, logs);
    const submitted = settlements[taken.indexOf(log)]!;
    // The event of a pre-verified settlement does not name the epoch.
    if (Number(postedBy(submitted).epoch) !== key.epoch) continue;
    return { transactionHash, blockNumber, submitted };
  }
  return null;
}

/** A batch settles a model once: the next epoch is closed in a later one. */
const isOf = (log: RollupLog, { batchNumber, modelId }: SettledEpochKey): log is AcceptedLog =>
  (log.eventName === "SettlementAccepted" || log.eventName === "PreVerifiedSettlementTaken") &&
  Number(log.args.modelId) === modelId &&
  Number(log.args.batchNumber) === batchNumber;
