/**
 * Decides how the bridge's publisher (batch-publisher.ts) goes on after transactions that were mined and reverted, although L1
 * takes the same call a moment later: more gas first, then longer and longer pauses.
 */
import { isOutOfGas } from "@openledger/contracts/l1/fee-policy";

interface RevertedTransaction {
  readonly gasUsed: bigint;
  readonly gasLimit: bigint;
  /** Maximum gas limit that the transaction could have had. */
  readonly maxGasLimit: bigint;
}

// Reverts without a wait: each costs ether, and the first may be an accident.
const FREE_REVERTS = 2;
// Milliseconds of the waits. Guesses: with these, an hour of reverts costs a dozen transactions.
const FIRST_WAIT_MS = 60_000;
const MAX_WAIT_MS = 600_000;

export class RevertPatience {
  #unexplainedCount = 0;
  #waitUntilMs = Number.NEGATIVE_INFINITY;
  /** Exponent of 2 by which the next gas limit exceeds the call's need. */
  gasDoublings = 0;

  /** A transaction with batches took effect. */
  noteSuccess(): void {
    this.#unexplainedCount = 0;
    this.gasDoublings = 0;
    this.#waitUntilMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * Notes a revert.
   * @returns "out-of-gas": the next transaction gets more gas; "unexplained"; or "waits" after one too many: then no
   * transaction is sent for a while, twice as long each time
   */
  noteRevert(
    { gasLimit, gasUsed, maxGasLimit }: RevertedTransaction,
    nowMs: number,
  ): "out-of-gas" | "unexplained" | "waits" {
    // A transaction that had the maximum gas cannot be tried again with more, and each try costs as much.
    if (isOutOfGas(gasUsed, gasLimit) && gasLimit < maxGasLimit) {
      this.gasDoublings += 1;
      return "out-of-gas";
    }
    this.#unexplainedCount += 1;
    const excess = this.#unexplainedCount - FREE_REVERTS;
    if (excess <= 0) return "unexplained";
    this.#waitUntilMs = nowMs + Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(excess - 1, 30));
    return "waits";
  }

  /** Milliseconds until the next transaction may be sent; 0: now. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#waitUntilMs - nowMs);
  }
}
