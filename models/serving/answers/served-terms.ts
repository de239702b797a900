/**
 * Terms of the rows of a model that is to answer for pay: those that its recipe binds, and where nobody has looked at them before,
 * those that the Datanets' hosts show. answer-models.ts applies them to each model before it is served.
 */
import type { RecipeBase, RowTerms } from "@openledger/attribution/model/recipe-fields";
import { requireApprovable } from "@openledger/client/datanets/signed-terms";
import { requireRecipeTerms, uncheckedVersions, unknownCount } from "@openledger/datanets/terms/terms-rule";
import { isRollupError } from "@openledger/foundation/rollup-error";

/** Time that a host has for one answer, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;

interface TermsPlace {
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
 * Checks that the rows' terms let a model answer for pay.
 * @returns what nobody knows
 * @throws DNT_TERMS_FORBID naming the rows that stand in the way; as a host refuses that has the Datanet
 */
export async function requireServedTerms(recipe: RecipeBase, place: TermsPlace): Promise<UnknownTerms> {
  requireRecipeTerms(recipe, { use: "paid" });
  const unchecked = uncheckedVersions(recipe).map(({ id }) => id);
  const known: RowTerms[] = recipe.terms?.rows.filter(({ datanet }) => !unchecked.includes(datanet)) ?? [];
  const datanetIds: number[] = [];
  for (const id of unchecked) {
    const rows = await rowsAtHosts(recipe, id, place);
    if (rows === null) datanetIds.push(id);
    else known.push(...rows);
  }
  return { datanetIds, rowCount: unknownCount(known) };
}

/** null where no host has the Datanet. */
async function rowsAtHosts(
  recipe: RecipeBase,
  datanetId: number,
  { datanetHosts, domain, sequencerUrl }: TermsPlace,
): Promise<readonly RowTerms[] | null> {
  const reader = { sequencerUrl, domain, requestTimeoutMs: REQUEST_TIMEOUT_MS, l2Key: null, leafId: null };
  for (const hostUrl of datanetHosts) {
    try {
      return (await requireApprovable(reader, { hostUrl, datanetId, recipe })).rows;
    } catch (error) {
      // The lists of a permissioned Datanet with plain digests are for readers: its terms are not known here.
      if (!isRollupError(error, "DNT_NOT_HOSTED") && !isRollupError(error, "DNT_REQUEST_UNSIGNED"))
        throw error;
    }
  }
  return null;
}
