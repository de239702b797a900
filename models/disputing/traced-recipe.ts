/** A recipe that promises claims of its model's queries (docs/lm-disputes.md). */
import { type Address, getAddress, type Hex, zeroAddress } from "viem";
import type { FamilyTraining } from "../../attribution/model/model-family.ts";
import { restOfQuery } from "../../attribution/model/recipe-fields.ts";
import type { TextParts } from "../registered/text-family.ts";
import type { TextSetting } from "../registered/text-model.ts";
import type { TextRecipe } from "../registered/text-recipe.ts";
import { requireClaimable } from "../registered/text-tokens.ts";
import { type TracedTerms, tracedTuple, tracingDigest } from "./ledger-claims.ts";
import { openTracedText, type TracedTextModel } from "./traced-text.ts";

/** What the contract is told of such a recipe. */
export function tracedOf({ model, vocabulary }: TracedTextModel, recipe: TextRecipe, claimant: Address) {
  const { answerTokens: mostTokens, endToken, temperature } = recipe.answers;
  const rest = restOfQuery(recipe);
  const terms: TracedTerms = {
    claimant,
    rest,
    mostTokens,
    endToken,
    vocabulary,
    rules: 0n,
    isLikeliest: temperature === 0,
  };
  return tracedTuple(model, terms);
}

/**
 * A tuned model, with the promise in its recipe. Computes the roots of all its numbers: some seconds a million of them.
 * @throws MOD_CLAIMS_TOO_LARGE, and what `openTracedText` throws
 */
export async function withTracing<Parts extends TextParts>(
  parts: Parts,
  claimant: Address,
  setting: TextSetting,
): Promise<Parts> {
  requireClaimable(parts.recipe);
  const digest = await tracingOf(parts, claimant, setting);
  const recipe: TextRecipe = {
    ...parts.recipe,
    tracing: { claimant: claimant.toLowerCase(), digest },
  };
  return { ...parts, recipe };
}

/** The digest of the model's own numbers. Takes what `withTracing` takes. @throws what `openTracedText` throws */
async function tracingOf(
  parts: Pick<TextParts, "adapter" | "queryMap" | "recipe">,
  claimant: Address,
  setting: TextSetting,
): Promise<Hex> {
  const traced = await openTracedText({ rollup: zeroAddress, modelId: 0n }, parts, setting);
  return tracingDigest(tracedOf(traced, parts.recipe, claimant));
}

/** Whether the recipe's digest is that of the model's own numbers. False where it promises nothing. */
export function isTracedBy(traced: TracedTextModel, { tracing, ...recipe }: TextRecipe): boolean {
  if (tracing === undefined) return false;
  return tracing.digest === tracingDigest(tracedOf(traced, recipe, getAddress(tracing.claimant)));
}

/**
 * The training, for whoever verifies: with the digest of a model that promises claims, computed again. Its `promise` throws
 * MOD_CLAIMS_TOO_LARGE of a recipe whose longest answers leave no room for a claim.
 */
export function withPromise(
  training: FamilyTraining<TextParts>,
  setting: TextSetting,
): FamilyTraining<TextParts> {
  return {
    ...training,
    async promise(parts) {
      const { tracing } = parts.recipe;
      if (tracing === undefined) return null;
      requireClaimable(parts.recipe);
      const computed = await tracingOf(parts, getAddress(tracing.claimant), setting);
      return { published: tracing.digest, computed };
    },
  };
}
