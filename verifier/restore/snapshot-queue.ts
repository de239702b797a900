/**
 * Check of a snapshot's waiting queue entries against L1's state, not against old events: the contract stores
 * a hash of every waiting entry. An entry that a later batch has executed is compared with that batch's own
 * words (ledger-replay.ts), one of a frozen queue that went back to its sender with its refund.
 */

import { l1Call } from "@openledger/bridge/l1/l1-client";
import { readRollupLogs } from "@openledger/bridge/l1/log-reader";
import type { QueueEntry } from "@openledger/bridge/l1/queue-entry";
import type { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { encodeAbiParameters, keccak256, parseAbiParameters } from "viem";
import { type LedgerSnapshot, snapshotFalse } from "../replay/ledger-snapshot.ts";

/** The lower bits of a stored entry are its time. */
const TIME_BITS = 40n;
const READ_COUNT = 32;
const CHUNK_BLOCKS = 10_000;
const HASHED = parseAbiParameters(
  "uint256, uint256, uint256, uint256, uint256, uint256, uint256, uint256, uint256, uint256",
);

/** Hash of a queue entry, as `RollupQueue._entryHash` computes it, without the bits that its time takes. */
function queueEntryHash(entry: QueueEntry): bigint {
  const { a, amountWei, b, kind, queueIndex, sender, word1, word2, word3, word4 } = entry;
  const [index, kindOf, aOf, bOf] = [queueIndex, kind, a, b].map(BigInt) as [bigint, bigint, bigint, bigint];
  const encoded = encodeAbiParameters(HASHED, [
    index,
    kindOf,
    aOf,
    bOf,
    amountWei,
    word1,
    word2,
    word3,
    word4,
    BigInt(sender),
  ]);
  return BigInt(keccak256(encoded)) >> TIME_BITS;
}

/**
 * Requires that the entries are all those of older blocks that the snapshot's batch left, unchanged.
 * @param toBlock block of the L1 state to read
 * @throws BRG_SNAPSHOT_INVALID; BRG_L1_*
 */
export async function requireWaiting(
  rollup: RollupContract,
  snapshot: LedgerSnapshot,
  toBlock: bigint,
): Promise<void> {
  const { position, waiting } = snapshot;
  const nextIndex = position.queueHead + waiting.length;
  const end = Math.max(position.queueHead, await firstIndexSince(rollup, snapshot.blockNumber, toBlock));
  if (nextIndex !== end)
    throw snapshotFalse(
      `queue entries up to ${end} waited or were taken when L1 took its batch, it has them up to ${nextIndex}`,
    );
  const { isFrozen, queueHead } = await rollup.state({ blockNumber: toBlock });
  for (let from = 0; from < waiting.length; from += READ_COUNT) {
    const part = waiting.slice(from, from + READ_COUNT);
    const stored = await Promise.all(part.map(({ queueIndex }) => readStored(rollup, queueIndex, toBlock)));
    for (const [i, entry] of part.entries()) {
      const { queueIndex } = entry;
      const value = stored[i]!;
      const isGone = value === 0n && (queueIndex < queueHead || isFrozen);
      if (isGone || value >> TIME_BITS === queueEntryHash(entry)) continue;
      throw snapshotFalse(`queue entry ${queueIndex} is not the one that waits on L1`);
    }
  }
}

/** Index of the first entry that was queued in this block or later. */
async function firstIndexSince(
  rollup: RollupContract,
  blockNumber: number,
  toBlock: bigint,
): Promise<number> {
  const { address, client } = rollup;
  const range = { fromBlock: BigInt(blockNumber), toBlock, maxChunkBlocks: CHUNK_BLOCKS };
  for await (const { logs } of readRollupLogs({ client, address, ...range })) {
    const first = logs.find((log) => log.eventName === "QueueEntryAdded");
    if (first !== undefined) return Number(first.args.index);
  }
  return Number(await rollup.queueTail({ blockNumber: toBlock }));
}

const readStored = (
  { address, client }: RollupContract,
  queueIndex: number,
  blockNumber: bigint,
): Promise<bigint> =>
  l1Call(`read queue entry ${queueIndex}`, () =>
    client.readContract({
      abi: rollupAbi,
      address,
      functionName: "queueEntries",
      args: [BigInt(queueIndex)],
      blockNumber,
    }),
  );
