/** Steps of the devnet's job in which people withdraw OPEN to L1, signed and forced, and finalize it. */
import { readQueueResult } from "@openledger/client/actions/forced/queue-result";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { type WaitTarget, waitFor } from "@openledger/client/sequencer/wait-for";
import { forceOperations } from "@openledger/client/tasks/force-operations";
import { finalizeWithdrawals, readPaidOutWei, withdrawOpen } from "@openledger/client/tasks/withdraw-open";
import { FORCED_WITHDRAWAL_WEI, type PersonName, WITHDRAWAL_WEI } from "../config.ts";
import { type Job, onceOnL1, onceOnLedger, waitWithConsole } from "../job.ts";
import type { Leaves } from "./deposit.ts";

/** carol withdraws by a signed operation. */
export async function withdrawSigned(job: Job, leaves: Leaves): Promise<WaitTarget> {
  const { carol } = job.people;
  const { hash } = await onceOnLedger(job, "withdraw-carol", carol, async ({ onSigned }) => {
    const { sent } = await withdrawOpen(carol, { from: leaves.carol, amountWei: WITHDRAWAL_WEI, onSigned });
    return sent;
  });
  job.console.done(`carol withdraws ${formatOpen(WITHDRAWAL_WEI)} OPEN: operation ${hash}`);
  return { withdrawal: { hash } };
}

/** dave withdraws through L1's queue, without the sequencer's leave. */
export async function withdrawForced(job: Job, leaves: Leaves): Promise<WaitTarget> {
  const { dave } = job.people;
  const operations = [{ type: "withdraw", id: leaves.dave, amountWei: FORCED_WITHDRAWAL_WEI }] as const;
  const sent = await onceOnL1(job, "force-withdraw-dave", dave, async ({ onSigned }) => {
    const { entries } = await forceOperations(dave, { operations, onSigned });
    return entries[0]!;
  });
  const { queueIndex, burnedFeeWei, transactionHash, gasUsed } = readQueueResult(sent);
  await job.journal.set("forced-fee-wei", burnedFeeWei.toString());
  job.console.done(
    `dave forces ${formatOpen(FORCED_WITHDRAWAL_WEI)} OPEN out: ${transactionHash}, ${gasUsed} gas, ${formatOpen(burnedFeeWei)} OPEN burned, queue entry ${queueIndex}`,
  );
  await waitWithConsole(job, dave, { queueIndex }, "acknowledged", "dave's forced withdrawal");
  return { withdrawal: { queueIndex } };
}

/** Waits until L1 has the withdrawal's batch, then finalizes. */
export async function finalizeFor(job: Job, name: PersonName, target: WaitTarget): Promise<void> {
  const client = job.people[name];
  // Silent: `settle` tells of the progress meanwhile.
  const { batchNumber } = await waitFor(client, target, "finalizable", {
    signal: job.signal,
    timeoutMs: 3_600_000,
  });
  const result = await onceOnL1(job, `payout-${name}`, client, ({ onSigned }) =>
    finalizeWithdrawals(client, { onSigned }),
  );
  const amountWei = readPaidOutWei(result);
  await job.journal.set(`payout-wei-${name}`, amountWei.toString());
  job.console.done(
    `${name} finalizes ${formatOpen(amountWei)} OPEN of batch ${batchNumber}: ${result.transactionHash}, ${result.gasUsed} gas`,
  );
}
