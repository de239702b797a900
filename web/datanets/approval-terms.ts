/** Terms of a model's rows before its approval: the rule by a host's signed terms, and by the recipe that the model's server shows. */
import type { ModelTerms } from "@openledger/attribution/model/recipe-fields";
import type { HostAccess, HostedDatanetPlace } from "@openledger/client/datanets/host-request";
import { requireApprovable } from "@openledger/client/datanets/signed-terms";
import { staticsOf } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import type { ForbiddingRows } from "@openledger/datanets/terms/terms-rule";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { fetchPublished } from "../ask/served-models.ts";
import type { Site } from "../ledger/site.ts";

export interface ApprovalTerms {
  /** Terms of the model; null: those of its rows forbid that it answers for pay. */
  readonly terms: ModelTerms | null;
  readonly forbidding: readonly ForbiddingRows[];
  /** Words about a recipe that could not be read; null if it was. */
  readonly unread: string | null;
}

interface ApprovalFacts {
  readonly client: HostAccess;
  readonly model: LedgerModelLeaf;
  readonly place: HostedDatanetPlace;
  readonly site: Pick<Site, "answerServers" | "factoryUrl">;
}

/** The rule, by the terms that the host shows and the recipe that the model's statics bind. */
export async function approvalTerms({ client, model, place, site }: ApprovalFacts): Promise<ApprovalTerms> {
  const { recipe, unread } = await registeredRecipe(site, model);
  try {
    return { terms: await requireApprovable(client, { ...place, recipe }), forbidding: [], unread };
  } catch (error) {
    if (!isRollupError(error, "DNT_TERMS_FORBID")) throw error;
    const { forbidding } = error.data as { readonly forbidding: readonly ForbiddingRows[] };
    return { terms: null, forbidding, unread };
  }
}

/** Recipe of a registered model by a server of the site. One of another model counts as none. */
export async function registeredRecipe(site: ApprovalFacts["site"], model: LedgerModelLeaf) {
  const { published } = await fetchPublished(site, model.id);
  if (published === null)
    return { recipe: undefined, unread: "No server of this site shows the model's recipe" };
  if (published.staticsHash !== staticsOf(model).hash)
    return { recipe: undefined, unread: "The model's server shows the recipe of another model" };
  return { recipe: published.recipe, unread: null };
}
