/**
 * Record in a directory that is filled from L1: up to which block it has L1's batches. A full node's has one for good; a
 * restored one has it until it is a sequencer's.
 */
import { l1Call } from "@openledger/bridge/l1/l1-client";
import type { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import type { LedgerLog } from "./ledger-log.ts";

/** L1's block up to which the directory has its batches. */
export interface FollowMarker {
  readonly blockNumber: number;
  readonly blockHash: string;
  /** The rollup was frozen by then; absent: it was not. */
  readonly isFrozen?: boolean;
  /** The directory is to be a sequencer's once it is filled. */
  readonly isRestore?: boolean;
}
/** Key of the record. */
export const FOLLOW_MARKER = "follow-block";

/** Reads the hash of L1's block. @throws BRG_L1_* */
export async function l1BlockHash({ client }: RollupContract, blockNumber: bigint): Promise<string> {
  const block = await l1Call(`read block ${blockNumber}`, () => client.getBlock({ blockNumber }));
  return block.hash;
}

/** Returns false where there is no marker, or where L1 has another block in its place. @throws BRG_L1_* */
export async function isMarkerOnL1(log: LedgerLog, rollup: RollupContract): Promise<boolean> {
  const marker = await log.get<FollowMarker>(FOLLOW_MARKER);
  if (marker === undefined) return false;
  const head = await l1Call("read the newest block's number", () => rollup.client.getBlockNumber());
  // A node that is behind may still catch up.
  if (head < BigInt(marker.blockNumber)) return true;
  return (await l1BlockHash(rollup, BigInt(marker.blockNumber))) === marker.blockHash;
}
