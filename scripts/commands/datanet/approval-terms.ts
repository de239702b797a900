/** Terms of a version's rows, before its owner approves a model that answers for pay: refused, or a line that says what was found. */
import type { RecipeBase } from "@openledger/attribution/model/recipe-fields";
import { requireApprovable } from "@openledger/client/datanets/signed-terms";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { knownDatanetHost } from "../../cli/context.ts";
import { termsWords } from "../models/training/training-terms.ts";

/** Errors of a host that nobody named. */
const UNASKED = ["DNT_NOT_HOSTED", "CLI_NOT_CONFIGURED", "CLI_UNREACHABLE"] as const;

/**
 * @param recipe of the model; undefined if it was not looked at
 * @returns lines of what was found
 * @throws DNT_TERMS_FORBID naming the rows that stand in the way; as a host refuses
 */
export async function termsOfApproval(
  client: LedgerClient,
  datanetId: number,
  {
    host,
    recipe,
  }: { host?: string | undefined; recipe: Pick<RecipeBase, "retrieval" | "terms"> | undefined },
): Promise<string[]> {
  const hostUrl = host ?? knownDatanetHost();
  if (hostUrl === undefined) return termsWords(undefined);
  try {
    return termsWords(await requireApprovable(client, { hostUrl, datanetId, recipe }));
  } catch (error) {
    // The host of this machine's devnet was not named, and an owner whom the sequencer censors asks L1 alone.
    const isUnasked = UNASKED.some((code) => isRollupError(error, code));
    if (host === undefined && isUnasked) return termsWords(undefined);
    throw error;
  }
}
