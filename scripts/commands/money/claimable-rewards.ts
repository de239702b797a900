/** Rewards that the leaves of an address may claim, as forced operations: by the sequencer, or by a ledger rebuilt from L1. */
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import { claimedPosition, PAYEE_ROLE, roleShareWei, unpackSplit } from "@openledger/circuits/ledger/rewards";
import type { ForcedClaim } from "@openledger/client/actions/forced/forced-operation";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getRewards } from "@openledger/client/sequencer/model-reads";

/** Claims of a leaf with something to claim, by the sequencer. */
export async function claimsOfLeaf(client: LedgerClient, id: number): Promise<ForcedClaim[]> {
  const { rewards } = await getRewards(client, id);
  return rewards.flatMap(({ claimableWei, modelId, payeeIndex, role }) =>
    claimableWei > 0n ? [{ type: "claimRewards" as const, id, modelId, payeeIndex, role }] : [],
  );
}

/** Claims of all leaves of an owner with something to claim, by a ledger rebuilt from L1. */
export function claimsOfOwner({ leaves }: Ledger, owner: bigint): ForcedClaim[] {
  const found: ForcedClaim[] = [];
  for (const [modelId, { model, rewards }] of leaves.withMore()) {
    if (model === undefined || rewards === undefined) continue;
    const { validatorParts } = unpackSplit(model.statics.split);
    for (const [payeeIndex, { contributorId, validatorId }] of rewards.payees.entries()) {
      for (const [role, id] of [
        ["contributor", contributorId],
        ["validator", validatorId],
      ] as const) {
        if (leaves.get(id)?.leaf.l1Owner !== owner) continue;
        const earnedWei = roleShareWei(
          rewards.accruedWei[payeeIndex] ?? 0n,
          PAYEE_ROLE[role],
          validatorParts,
        );
        const claimedWei = rewards.claimedWei[claimedPosition(payeeIndex, PAYEE_ROLE[role])] ?? 0n;
        if (earnedWei > claimedWei) found.push({ type: "claimRewards", id, modelId, payeeIndex, role });
      }
    }
  }
  return found;
}
