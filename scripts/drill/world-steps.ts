/** What somebody does who uses a drill's rollup in earnest: he waits for room, for L1, and for a day to pass. */

import type { LedgerClient } from "@openledger/client/ledger-client";
import { getStatus } from "@openledger/client/sequencer/ledger-reads";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { DrillWorld } from "./drill-world.ts";

export const STEP_TIMEOUT_MS = 600_000;

/** Again and again while too many batches wait for their proof and L1. @throws DRL_TIMEOUT, DRL_PROCESS_ENDED, what `act` throws */
export async function patiently<T>(world: DrillWorld, act: () => Promise<T>): Promise<T> {
  const outcome = await world.waitFor(
    "the sequencer to have room for an operation",
    async () => {
      try {
        return { value: await act() };
      } catch (error) {
        return isRollupError(error) && error.isRetryable ? null : { error };
      }
    },
    STEP_TIMEOUT_MS,
  );
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

export async function allPosted(world: DrillWorld, timeoutMs = STEP_TIMEOUT_MS): Promise<void> {
  const isPosted = async () => {
    await world.operator("/operator/close", {});
    const { batches } = await world.status();
    return batches.posted === batches.closed;
  };
  await world.waitFor("every batch to be posted", isPosted, timeoutMs);
}

export async function passTime(world: DrillWorld, client: LedgerClient, seconds: number): Promise<void> {
  const l1 = world.l1.client;
  const { timestamp } = await l1.getBlock();
  await l1.increaseTime({ seconds });
  await l1.mine({ blocks: 1 });
  const hasHeard = async () => (await getStatus(client)).l1.timestamp >= Number(timestamp) + seconds;
  await world.waitFor("the sequencer to hear of the new time", hasHeard, STEP_TIMEOUT_MS);
}
