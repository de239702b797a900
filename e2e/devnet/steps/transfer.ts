/** Step of the devnet's job in which people pay each other, by a plan that a resumed run and the checks compute again. */
import { transferOpen } from "@openledger/client/tasks/transfer-open";
import { parseEther } from "viem";
import { FIRST_TRANSFER_COUNT, LATER_TRANSFER_COUNT, type PersonName, TRADERS } from "../config.ts";
import { type Job, onceOnLedger } from "../job.ts";
import type { Leaves } from "./deposit.ts";

interface PlannedTransfer {
  readonly index: number;
  readonly from: PersonName;
  readonly to: PersonName;
  readonly amountWei: bigint;
}

/** The index decides everything, so a resumed run plans the same transfers and the checks can recompute them. */
export function planTransfer(index: number): PlannedTransfer {
  const from = TRADERS[index % TRADERS.length]!;
  const to =
    TRADERS[(index + 1 + (Math.floor(index / TRADERS.length) % (TRADERS.length - 1))) % TRADERS.length]!;
  // 0.25 to about 2 OPEN, with nine digits behind the point: any amount with ten digits has an exact code.
  return {
    index,
    from,
    to,
    amountWei: parseEther("0.25") + BigInt((index * 37) % 50) * 35_000_001n * 10n ** 9n,
  };
}

/** The planned transfers, as the batches have room for them. */
export class Transfers {
  readonly #job: Job;
  readonly #leaves: Leaves;
  #sentCount = 0;
  #wideCount = 0;

  constructor(job: Job, leaves: Leaves) {
    this.#job = job;
    this.#leaves = leaves;
  }

  /** Sends those that come before everything else. */
  async begin(): Promise<void> {
    await this.#send(FIRST_TRANSFER_COUNT);
    this.#job.console.done(
      `${FIRST_TRANSFER_COUNT} transfers acknowledged, each with a signed preconfirmation`,
    );
  }

  /** Sends as many as a batch has narrow slots, or what is left. */
  fillTable(): Promise<void> {
    return this.#send(Math.min(this.#job.plan.table.transfers, LAST_TRANSFER - this.#sentCount));
  }

  /** Tells that the open batch has its transfers, and so many operations in wide slots. */
  noteWide(count: number): void {
    this.#wideCount = count;
  }

  /** Called before each operation in a wide slot: fills the table once for as many as it has of these. */
  async besideWide(): Promise<void> {
    if (this.#wideCount % this.#job.plan.table.wide === 0) await this.fillTable();
    this.#wideCount += 1;
  }

  /** Sends what is left, but the last one: transfer-way.ts does. */
  async end(): Promise<void> {
    while (this.#sentCount < LAST_TRANSFER) await this.fillTable();
    this.#job.console.done(`${LAST_TRANSFER - FIRST_TRANSFER_COUNT} more transfers acknowledged beside them`);
  }

  /** One after another; each is acknowledged with a preconfirmation before the next. */
  async #send(count: number): Promise<void> {
    const job = this.#job;
    for (const last = this.#sentCount + count; this.#sentCount < last; this.#sentCount++) {
      const { amountWei, from, index, to } = planTransfer(this.#sentCount);
      const client = job.people[from];
      job.signal.throwIfAborted();
      await onceOnLedger(job, `transfer-${index}`, client, ({ onSigned }) =>
        transferOpen(client, { from: this.#leaves[from], to: this.#leaves[to], amountWei, onSigned }),
      );
    }
  }
}

/** Index of the last planned transfer. */
export const LAST_TRANSFER = FIRST_TRANSFER_COUNT + LATER_TRANSFER_COUNT - 1;
