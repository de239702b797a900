/**
 * Closes the devnet's open batch as soon as the prover has nothing to do, so that nobody waits for a deadline. devnet.ts runs
 * it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { follow } from "@openledger/client/sequencer/feed";
import { getStatus } from "@openledger/client/sequencer/ledger-reads";
import { isRollupError } from "@openledger/foundation/rollup-error";

/** Time in which nothing has joined the open batch: what a program sends in a row is together, and nobody notices the wait. */
const QUIET_MS = 20;
/** Guards against a lost message of the sequencer. */
const GUARD_MS = 1_000;

interface BatchCloserOptions {
  readonly sequencerUrl: string;
  readonly closeBatch: () => Promise<unknown>;
  readonly signal: AbortSignal;
}

/**
 * Closes the open batch once no other waits for its proof, and nothing has joined it for a moment: more company would cost
 * more time than it saves. The sequencer's feed tells when to look. Goes on until the signal is aborted.
 */
export async function closeWhenIdle({ closeBatch, sequencerUrl, signal }: BatchCloserOptions): Promise<void> {
  const access = { sequencerUrl, requestTimeoutMs: 5_000 };
  let quiet = "";
  let waitMs = GUARD_MS;
  const look = async () => {
    const { batches, head } = await getStatus(access);
    const isIdle = head.operationCount > 0 && batches.closed === batches.proven;
    const open = `${head.batchNumber} ${head.operationCount}`;
    if (isIdle && quiet === open) await closeBatch();
    waitMs = isIdle && quiet !== open ? QUIET_MS : GUARD_MS;
    quiet = isIdle ? open : "";
    return null;
  };
  while (!signal.aborted) {
    try {
      const topics = ["operations", "batches"] as const;
      await follow(access, "the open batch", { topics, signal, look, beforeWait: () => waitMs });
    } catch (error) {
      // The sequencer is being started again; its own interval closes what is open meanwhile.
      if (!isRollupError(error)) throw error;
    }
    await sleep(GUARD_MS, undefined, { signal }).catch(() => {});
  }
}
