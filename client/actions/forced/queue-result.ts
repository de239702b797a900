import { parseEventLogs } from "viem";
import { rollupAbi } from "../../../contracts/build/rollup-abi.ts";
import type { L1Result } from "../l1/l1-result.ts";

/** What every verb returns that puts an entry into the L1 queue. */
export interface QueueResult extends L1Result {
  /** For `waitFor(client, { queueIndex }, …)`. */
  queueIndex: number;
  /** What was burned: the fee of a forced operation; of a deposit that opens an account the id fee. */
  burnedFeeWei: bigint;
}

/**
 * @internal
 */
export function readQueueResult(result: L1Result): QueueResult {
  const [added] = parseEventLogs({ abi: rollupAbi, logs: result.receipt.logs, eventName: "QueueEntryAdded" });
  if (added === undefined)
    throw new Error(`transaction ${result.transactionHash} added nothing to the queue`);
  return { ...result, queueIndex: Number(added.args.index), burnedFeeWei: added.args.burnedFeeWei };
}
