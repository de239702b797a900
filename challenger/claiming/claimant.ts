/** Who may claim: docs/explanation/fault-proofs.md. */
import { readModel } from "@openledger/attribution/model/model-directory";
import { claimantOf } from "@openledger/attribution/model/recipe-fields";
import { modelFamilies } from "@openledger/models/registered/model-families";
import type { Address } from "viem";
import { challengerError } from "../challenger-errors.ts";

/** @throws CMD_NOT_CLAIMANT where this account may not claim the model's queries; what `readModel` throws */
export async function requireClaimant(
  { base, modelFolder }: { readonly modelFolder: string; readonly base?: string | undefined },
  account: Address,
): Promise<void> {
  const { recipe } = await readModel(modelFolder, await modelFamilies({ base }));
  const claimant = claimantOf(recipe);
  if (claimant !== account.toLowerCase()) throw notClaimant("the model", account, { claimant });
}

/**
 * Those that promise claims: an account claims for all of them, or for none.
 * @throws CMD_NOT_CLAIMANT where another one claims for one of them, or none promises it
 */
export function requireClaimantOfAll(
  models: readonly { readonly modelId: number; readonly claimant: string | null }[],
  account: Address,
): readonly number[] {
  const promised = models.filter(({ claimant }) => claimant !== null);
  const other = promised.find(({ claimant }) => claimant !== account.toLowerCase());
  if (other !== undefined) throw notClaimant(`model ${other.modelId}`, account, other);
  if (promised.length === 0) throw notClaimant("each model that is served", account, { claimant: null });
  return promised.map(({ modelId }) => modelId);
}

function notClaimant(
  what: string,
  account: Address,
  facts: { readonly claimant: string | null; readonly modelId?: number },
) {
  const why =
    facts.claimant === null
      ? `${what} promises no claims`
      : `only ${facts.claimant} claims the queries of ${what}`;
  return challengerError("CMD_NOT_CLAIMANT", `${why}; the account is ${account}`, {
    data: { account, ...facts },
  });
}
