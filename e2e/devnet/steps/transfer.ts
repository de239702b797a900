import { transfer } from "@openledger/client/actions/ledger/account-operations";
import { parseEther } from "viem";
import { type PersonName, TRADERS } from "../config.ts";
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

/** Sends planned transfers one after another; each is acknowledged with a preconfirmation before the next. */
export async function transferRange(job: Job, leaves: Leaves, first: number, count: number): Promise<void> {
  for (let index = first; index < first + count; index++) {
    const { from, to, amountWei } = planTransfer(index);
    const client = job.people[from];
    job.signal.throwIfAborted();
    await onceOnLedger(job, `transfer-${index}`, client, ({ onSigned }) =>
      transfer(client, { from: leaves[from], to: leaves[to], amountWei, onSigned }),
    );
  }
}
