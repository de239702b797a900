/**
 * Asks L1 about posted batches: receipt, block and position of each. The bridge's publisher (batch-publisher.ts) decides by the
 * answers alone, without any memory of its own.
 */
import { BlockNotFoundError, type Hex, type TransactionReceipt, TransactionReceiptNotFoundError } from "viem";
import { type L1Client, l1Call } from "../l1-client.ts";
import { readRollupLogs } from "../log-reader.ts";
import type { RollupContract } from "../rollup-contract.ts";

/** The receipt of the first of these transactions that is mined. At most one can be if they share a nonce. */
export async function findReceipt(
  client: L1Client,
  hashes: readonly Hex[],
): Promise<TransactionReceipt | null> {
  // Newest first: the last replacement pays most.
  for (const hash of [...hashes].reverse()) {
    const receipt = await l1Call(`read the receipt of ${hash}`, async () => {
      try {
        return await client.getTransactionReceipt({ hash });
      } catch (error) {
        if (error instanceof TransactionReceiptNotFoundError) return null;
        throw error;
      }
    });
    if (receipt !== null) return receipt;
  }
  return null;
}

/**
 * Returns true if the block that mined a transaction is still part of the chain; null where the node has none there
 * (yet).
 */
export function isCanonical(
  client: L1Client,
  record: { blockNumber: number; blockHash: Hex },
): Promise<boolean | null> {
  return l1Call(`read block ${record.blockNumber}`, async () => {
    try {
      const block = await client.getBlock({ blockNumber: BigInt(record.blockNumber) });
      return block.hash === record.blockHash;
    } catch (error) {
      if (error instanceof BlockNotFoundError) return null;
      throw error;
    }
  });
}

interface PostedBatchSource {
  readonly rollup: RollupContract;
  /** The batch is in this block or a later one: the block of the last final batch. */
  readonly fromBlock: bigint;
  readonly maxChunkBlocks: number;
}

interface PostedBatch {
  readonly batchNumber: number;
  /** Root after the batch; `opIndex` and `queueHead` are also of this moment. */
  readonly root: bigint;
  readonly opIndex: number;
  readonly queueHead: number;
  readonly transactionHash: Hex;
  readonly blockNumber: bigint;
}

/**
 * The batch of this number on L1, or null where there is none. The newest blocks are searched first, since it is mostly
 * there, however old the rollup is.
 */
export async function findPostedBatch(
  source: PostedBatchSource,
  batchNumber: number,
): Promise<PostedBatch | null> {
  const { client, address } = source.rollup;
  const { fromBlock, maxChunkBlocks } = source;
  const toBlock = await l1Call("read the newest block's number", () => client.getBlockNumber());
  const range = { fromBlock, toBlock, maxChunkBlocks, isNewestFirst: true };
  for await (const { logs } of readRollupLogs({ client, address, ...range })) {
    for (const log of logs) {
      if (log.eventName !== "BatchAccepted" || Number(log.args.batchNumber) !== batchNumber) continue;
      const { newRoot: root, opIndex, queueHead } = log.args;
      const { blockNumber, transactionHash } = log;
      return { batchNumber, root, opIndex, queueHead, transactionHash, blockNumber };
    }
  }
  return null;
}
