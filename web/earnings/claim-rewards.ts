/** Work of the button "Claim" on the earnings page. */
import { claimAllRewards } from "@openledger/client/tasks/claim-rewards";
import { type Holdings, mainAccount } from "../ledger/holdings.ts";
import { type Session, unlock } from "../ledger/session.ts";

/**
 * Moves what was earned to the account's balance.
 * @param onSent called with the number of accepted claims
 * @throws what unlock and claimAllRewards throw; what was accepted before stays so
 */
export async function claimRewardsAll(
  now: Session,
  owned: Holdings,
  onSent: (count: number) => void,
): Promise<void> {
  const client = await unlock(
    now,
    owned.accounts.map(({ keyX }) => keyX),
  );
  let count = 0;
  await claimAllRewards(client, { from: mainAccount(owned)!.id, onClaimed: () => onSent(++count) });
}
