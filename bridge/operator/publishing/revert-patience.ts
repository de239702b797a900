/** What follows from transactions with batches that were mined and reverted, although L1 takes the same call a moment later. */
import { isOutOfGas } from "@openledger/contracts/l1/fee-policy";

interface RevertedTransaction {
  readonly gasUsed: bigint;
  readonly gasLimit: bigint;
  /** The most gas that the transaction could have been given. */
  readonly maxGasLimit: bigint;
}

// Each revert costs ether, and the first may be an accident.
const FREE_REVERTS = 2;
// Guesses. With these, an hour of reverts costs a dozen transactions.
const FIRST_WAIT_MS = 60_000;
const MAX_WAIT_MS = 600_000;

export class RevertPatience {
  #unexplainedCount = 0;
  #waitUntilMs = Number.NEGATIVE_INFINITY;
  /** The next gas limit is to be 2 to this power times what the call needs. */
  gasDoublings = 0;

  /** A transaction with batches took effect. */
  noteSuccess(): void {
    this.#unexplainedCount = 0;
    this.gasDoublings = 0;
    this.#waitUntilMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * @returns "out-of-gas": the next one gets more; "unexplained", or "waits" where it was one too many: then nothing is
   * sent for a while, twice as long each time
   */
  noteRevert(
    { gasLimit, gasUsed, maxGasLimit }: RevertedTransaction,
    nowMs: number,
  ): "out-of-gas" | "unexplained" | "waits" {
    // A transaction that had the most gas allowed cannot be tried again with more, and each try costs as much.
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

  /** How long nothing is sent; 0: send now. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#waitUntilMs - nowMs);
  }
}
