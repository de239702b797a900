/** Step of the devnet's job in which two people claim what their rows have earned and withdraw it to L1. */
import { getModel } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { type WaitTarget, waitFor } from "@openledger/client/sequencer/wait-for";
import { claimAllRewards } from "@openledger/client/tasks/claim-rewards";
import { finalizeWithdrawals, readPaidOutWei, withdrawOpen } from "@openledger/client/tasks/withdraw-open";
import type { PersonName } from "../config.ts";
import { type Job, onceOnL1, onceOnLedger, withRetry } from "../job.ts";
import { type ModelName, stepOf } from "../parts.ts";
import type { Leaves } from "./deposit.ts";

/** People who claim what their rows have earned, and take it to L1. The others' part waits for them. */
export const CLAIMERS = ["bob", "vera"] as const;
export const WITHDRAWERS = CLAIMERS;

interface RewardClaim {
  readonly name: (typeof CLAIMERS)[number];
  readonly payeeIndex: number;
  readonly role: "contributor" | "validator";
  /** All that the payee's role has earned so far: the epoch's. */
  readonly earnedWei: bigint;
}

/** The reward finalizes that the job makes, in the model's order of payees. */
function plannedRewardClaims({ payees }: Pick<LedgerModelLeaf, "payees">, leaves: Leaves): RewardClaim[] {
  return payees.flatMap((payee) =>
    (["contributor", "validator"] as const).flatMap((role): RewardClaim[] => {
      const id = role === "contributor" ? payee.contributorId : payee.validatorId;
      const name = CLAIMERS.find((known) => leaves[known] === id);
      if (name === undefined) return [];
      return [{ name, payeeIndex: payee.index, role, earnedWei: payee[role].earnedWei }];
    }),
  );
}

/**
 * Claims every payee of each model, and takes what was claimed out of the ledger.
 * @param before called before every operation: other work for the same batches
 */
export async function claimAndWithdraw(
  job: Job,
  leaves: Leaves,
  models: readonly { readonly name: ModelName; readonly modelId: number }[],
  before: () => Promise<void>,
): Promise<{ name: PersonName; target: WaitTarget }[]> {
  const startedAtMs = Date.now();
  const all: RewardClaim[] = [];
  for (const { modelId, name: model } of models) {
    const leaf = await withRetry(job, () => getModel(job.people.mia, modelId));
    all.push(...plannedRewardClaims(leaf, leaves));
    for (const name of CLAIMERS) {
      const client = job.people[name];
      await withRetry(job, () =>
        claimAllRewards(client, {
          ...{ from: leaves[name], modelId },
          once: async ({ payeeIndex, role }, send) => {
            await before();
            return onceOnLedger(job, stepOf(model, `reward-${name}-${payeeIndex}-${role}`), client, send);
          },
        }),
      );
    }
  }
  const targets: { name: PersonName; target: WaitTarget }[] = [];
  for (const name of WITHDRAWERS) {
    const amountWei = all
      .filter((claimed) => claimed.name === name)
      .reduce((sum, { earnedWei }) => sum + earnedWei, 0n);
    const client = job.people[name];
    await before();
    const from = leaves[name];
    const { hash } = await onceOnLedger(job, `withdraw-rewards-${name}`, client, async ({ onSigned }) => {
      const { sent } = await withdrawOpen(client, { from, amountWei, onSigned });
      return sent;
    });
    targets.push({ name, target: { withdrawal: { hash } } });
    job.console.done(
      `${name} claims ${formatOpen(amountWei)} OPEN of rewards and withdraws them: operation ${hash}`,
    );
  }
  job.console.done(`${all.length} claims of ${CLAIMERS.join(", ")}`, Date.now() - startedAtMs);
  return targets;
}

/** Waits until L1 has the withdrawal's batch, then pays it out. */
export async function payOutRewards(job: Job, name: PersonName, target: WaitTarget): Promise<void> {
  const client = job.people[name];
  await waitFor(client, target, "finalizable", { signal: job.signal, timeoutMs: 3_600_000 });
  const result = await onceOnL1(job, `pay-out-${name}`, client, ({ onSigned }) =>
    finalizeWithdrawals(client, { onSigned }),
  );
  const amountWei = readPaidOutWei(result);
  await job.journal.set(`rewards-wei-${name}`, amountWei.toString());
  job.console.done(`${name} has ${formatOpen(amountWei)} OPEN of rewards on L1: ${result.transactionHash}`);
}
