/** Calls that open a leaf in the rollup's state, which each batch changes. */

import { setTimeout as sleep } from "node:timers/promises";
import { isRollupError } from "@openledger/foundation/rollup-error";

const ATTEMPTS = 20;
const RETRY_MS = 3_000;

/** Each batch changes the root that a leaf is opened in. @param refusal what the contract says then */
export async function againBetweenBatches<T>(
  act: () => Promise<T>,
  onRetry: () => void,
  refusal = "DisputesRootMismatch",
): Promise<T> {
  for (let left = ATTEMPTS; ; left--) {
    try {
      return await act();
    } catch (error) {
      if (!isReverted(error, refusal) || left === 1) throw error;
      onRetry();
      await sleep(RETRY_MS);
    }
  }
}

/** @param name as the contract calls it */
export const isReverted = (error: unknown, name: string): boolean =>
  isRollupError(error, "CLI_L1_REVERTED") && (error.data as { error?: string }).error === name;
