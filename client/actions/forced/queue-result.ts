/**
 * Outcome of an entry in L1's queue, read from its transaction's event: index and burned fee (wei of OPEN). Deposits and forced
 * operations return it.
 */
import { rollupUserAbi } from "@openledger/contracts/build/rollup-user-abi";
import { parseEventLogs } from "viem";
import { type EffectContracts, findEffectArgs, type L1Effect } from "../../l1-proposal.ts";
import type { L1Result } from "../l1/l1-result.ts";

/** Result of every verb that puts an entry into the L1 queue. */
export interface QueueResult extends L1Result {
  /** Index of the entry, for `waitFor(client, { queueIndex }, …)`. */
  queueIndex: number;
  /** Burned wei of OPEN: the fee of a forced operation; the id fee of a deposit that opens an account. */
  burnedFeeWei: bigint;
}

/**
 * Reads the result of a transaction that adds one entry.
 * @internal
 */
export function readQueueResult(result: L1Result): QueueResult {
  const [added] = parseEventLogs({
    abi: rollupUserAbi,
    logs: result.receipt.logs,
    eventName: "QueueEntryAdded",
  });
  return withEntry(result, added?.args);
}

/**
 * Reads the result of the call with this effect: a contract wallet's transaction may add several entries.
 * @internal
 */
export function readOwnEntry(client: EffectContracts, result: L1Result, effect: L1Effect): QueueResult {
  return withEntry(result, findEffectArgs(client, effect, result.receipt.logs) as unknown as Added | null);
}

interface Added {
  readonly index: bigint;
  readonly burnedFeeWei: bigint;
}

function withEntry(result: L1Result, added: Added | null | undefined): QueueResult {
  if (added == null) throw new Error(`transaction ${result.transactionHash} added nothing to the queue`);
  return { ...result, queueIndex: Number(added.index), burnedFeeWei: added.burnedFeeWei };
}
