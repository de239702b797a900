/**
 * Terms of the rows of a model that is to answer for pay: those that its recipe binds, and where nobody has looked at them before,
 * those that the Datanets' hosts show. answer-models.ts applies them to each model before it is served.
 */
import type { RecipeBase, RowTerms } from "@openledger/attribution/model/recipe-fields";
import { requireApprovable } from "@openledger/client/datanets/signed-terms";
import { firstHostOf } from "@openledger/client/tasks/register-model";
import { requireRecipeTerms, uncheckedVersions, unknownCount } from "@openledger/datanets/terms/terms-rule";

/** Time that a host has for one answer, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;

interface TermsLocation {
  readonly datanetHosts: readonly string[];
  readonly sequencerUrl: string;
  /** Domain of the rollup. */
  readonly domain: bigint;
}

/** Rows of a model about which the rule could say nothing. */
export interface UnknownTerms {
  /** Datanets that no host here has. */
  readonly datanetIds: readonly number[];
  /** Rows whose terms no machine reads. */
  readonly rowCount: number;
}

/**
 * Checks that the rows' terms let a model answer for pay. A recipe's word holds where it has the terms of all rows of the model.
 * @param rowCount rows of the model
 * @returns what nobody knows
 * @throws DNT_TERMS_FORBID naming the rows that stand in the way; as a host refuses that has the Datanet
 */
export async function requireServedTerms(
  recipe: RecipeBase,
  { datanetHosts, domain, rowCount, sequencerUrl }: TermsLocation & { readonly rowCount: number },
): Promise<UnknownTerms> {
  requireRecipeTerms(recipe, { use: "paid" });
  const unchecked = uncheckedVersions(recipe, rowCount).map(({ id }) => id);
  const known: RowTerms[] = recipe.terms?.rows.filter(({ datanet }) => !unchecked.includes(datanet)) ?? [];
  const reader = { sequencerUrl, domain, requestTimeoutMs: REQUEST_TIMEOUT_MS, l2Key: null, leafId: null };
  const askHost = firstHostOf(datanetHosts);
  const datanetIds: number[] = [];
  for (const id of unchecked) {
    const terms = await askHost((hostUrl) => requireApprovable(reader, { hostUrl, datanetId: id, recipe }));
    if (terms === null) datanetIds.push(id);
    else known.push(...terms.rows);
  }
  return { datanetIds, rowCount: unknownCount(known) };
}
