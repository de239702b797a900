/**
 * Records of the L1 blocks that took a model's CloseEpoch, and of the randomness of the block 128 later, by which the epoch's
 * payments are sampled. The bridge reports them once they are deep enough. These records decide whether L1 would take a
 * settlement, and so whether the sequencer takes it: a batch that L1 refuses would hold up all later ones.
 */

import type { Ledger } from "@openledger/circuits/ledger/ledger";
import { sequencerError } from "../../sequencer-errors.ts";
import type { LedgerLog } from "../../store/ledger-log.ts";
import { storeKeys } from "../../store/store-keys.ts";

/** Record of one batch with a CloseEpoch. */
export interface EpochCloseOnL1 {
  readonly batchNumber: number;
  readonly blockNumber: number;
  /** Timestamp of that block, in seconds. */
  readonly timestamp: number;
  /** prevRandao as the contract recorded it, 256 bits; null while it is not there. */
  readonly prevRandao: bigint | null;
  /** True where nobody recorded it in time: only the default split is left. */
  readonly isMissed: boolean;
}

/** Reads a batch's record. */
export function readCloseOnL1(log: LedgerLog, batchNumber: number): Promise<EpochCloseOnL1 | undefined> {
  return log.get<EpochCloseOnL1>(storeKeys.epochCloseOnL1(batchNumber));
}

const isFixed = (known: EpochCloseOnL1 | undefined) =>
  known !== undefined && (known.prevRandao !== null || known.isMissed);

/** Lists batches with the CloseEpochs of epochs that wait for their settlement, ascending. */
export function unsettledCloses({ leaves }: Pick<Ledger, "leaves">): number[] {
  const closing = new Set<number>();
  for (const [, { rewards }] of leaves.withMore())
    if (rewards?.closed != null) closing.add(Number(rewards.closed.closingBatch));
  return [...closing].sort((a, b) => a - b);
}

/**
 * Lists those among them whose randomness was not reported. The bridge asks L1 for them, so a node that leaves out
 * their events delays nothing.
 */
export async function awaitedCloses(log: LedgerLog, unsettled: readonly number[]): Promise<number[]> {
  const awaited: number[] = [];
  for (const batchNumber of unsettled)
    if (!isFixed(await readCloseOnL1(log, batchNumber))) awaited.push(batchNumber);
  return awaited;
}

/**
 * Takes over a report of the bridge; the same one again changes nothing.
 * @returns false where it was taken over before
 * @throws SEQ_CLOSE_CONFLICT where randomness that was reported before is now another, or is gone
 */
export async function noteCloseOnL1(log: LedgerLog, report: EpochCloseOnL1): Promise<boolean> {
  const known = await readCloseOnL1(log, report.batchNumber);
  if (known !== undefined && isFixed(known)) {
    const isSame = (["blockNumber", "timestamp", "prevRandao", "isMissed"] as const).every(
      (field) => known[field] === report[field],
    );
    if (isSame) return false;
    throw sequencerError(
      "SEQ_CLOSE_CONFLICT",
      `the randomness of batch ${report.batchNumber} was reported with another value before`,
      {
        data: { batchNumber: report.batchNumber, knownBlock: known.blockNumber, block: report.blockNumber },
      },
    );
  }
  await log.write([{ key: storeKeys.epochCloseOnL1(report.batchNumber), value: report }]);
  return true;
}
