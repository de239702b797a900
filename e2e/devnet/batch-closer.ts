/**
 * Closes the devnet's open batch as soon as the prover has nothing to do, so that nobody waits for a deadline. devnet.ts runs
 * it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { getStatus } from "@openledger/client/sequencer/ledger-reads";
import { isRollupError } from "@openledger/foundation/rollup-error";

const LOOK_MS = 500;
/** Looks at which the same batch was open and the prover had nothing to do. */
const QUIET_LOOKS = 2;

interface BatchCloserOptions {
  readonly sequencerUrl: string;
  readonly closeBatch: () => Promise<unknown>;
  readonly signal: AbortSignal;
}

/**
 * Closes the open batch once no other waits for its proof, and nothing has joined it for a second: more company would cost
 * more time than it saves. Goes on until the signal is aborted.
 */
export async function closeWhenIdle({ closeBatch, sequencerUrl, signal }: BatchCloserOptions): Promise<void> {
  let quiet = { batch: 0, operations: 0, looks: 0 };
  while (!signal.aborted) {
    try {
      const { batches, head } = await getStatus({ sequencerUrl, requestTimeoutMs: 5_000 });
      const isIdle = head.operationCount > 0 && batches.closed === batches.proven;
      const isSame = quiet.batch === head.batchNumber && quiet.operations === head.operationCount;
      quiet = {
        batch: head.batchNumber,
        operations: head.operationCount,
        looks: isIdle ? (isSame ? quiet.looks + 1 : 1) : 0,
      };
      if (quiet.looks > QUIET_LOOKS) await closeBatch();
    } catch (error) {
      // The sequencer is being started again; its own interval closes what is open meanwhile.
      if (!isRollupError(error)) throw error;
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}
