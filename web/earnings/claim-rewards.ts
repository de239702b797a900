/** Work of the button "Claim" on the earnings page. */
import { claimRewards } from "@openledger/client/actions/ledger/reward-operations";
import { type Holdings, mainAccount } from "../ledger/holdings.ts";
import { type Session, unlock } from "../ledger/session.ts";
import type { Reward } from "./account-earnings.ts";

/**
 * Moves what was earned to the account's balance: an operation for each share and role, one after the other.
 * @param onSent told how many are accepted
 * @throws what unlock and claimRewards throw; what was accepted before stays so
 */
export async function claimRewardsAll(
  now: Session,
  owned: Holdings,
  rewards: readonly Reward[],
  onSent: (count: number) => void,
): Promise<void> {
  const client = await unlock(
    now,
    owned.accounts.map(({ keyX }) => keyX),
  );
  const from = mainAccount(owned)!.id;
  for (const [i, { modelId, role, payeeIndex }] of rewards.entries()) {
    await claimRewards(client, { from, modelId, role, payeeIndex });
    onSent(i + 1);
  }
}
