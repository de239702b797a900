/** A recipe that promises claims of its model's queries, and maybe a model commitment of its rows (docs/explanation/fault-proofs.md). */

import { toFixed40 } from "@openledger/attribution/maths/fixed-point";
import type { FamilyTraining } from "@openledger/attribution/model/model-family";
import { restOfQuery } from "@openledger/attribution/model/recipe-fields";
import { type BasePlaces, modelTrainings, textSetting } from "@openledger/models/registered/model-families";
import type { TextParts } from "@openledger/models/registered/text-family";
import type { TextSetting } from "@openledger/models/registered/text-model";
import { promisesRows, type TextRecipe } from "@openledger/models/registered/text-recipe";
import { type Address, getAddress, type Hex, zeroAddress, zeroHash } from "viem";
import { requireClaimable } from "../claims/claimable.ts";
import { type TracedTerms, tracedTuple, tracingDigest } from "../claims/ledger-claims.ts";
import { openTracedText, type TracedTextModel } from "../claims/traced-text.ts";
import { requirePostable, requirePostableModel } from "./postable-rows.ts";

/** The contract's `Traced.rules`: 0 where no rows are promised. */
export function textRules(recipe: TextRecipe): bigint {
  if (!promisesRows(recipe)) return 0n;
  const { nearDuplicatesShare, normQuantile } = recipe.rules;
  return 1n | (nearDuplicatesShare ? 2n : 0n) | (toFixed40(normQuantile) << 8n);
}

/** What the contract is told of such a recipe. */
export function tracedOf({ model, vocabulary }: TracedTextModel, recipe: TextRecipe, claimant: Address) {
  const { answerTokens: mostTokens, endToken, temperature } = recipe.answers;
  const [rest, rules] = [restOfQuery(recipe), textRules(recipe)];
  const isLikeliest = temperature === 0;
  const terms: TracedTerms = { claimant, rest, mostTokens, endToken, vocabulary, rules, isLikeliest };
  return tracedTuple(model, terms);
}

/**
 * A tuned model, with the promise in its recipe. Computes the roots of all its numbers, and programs for every length.
 * @param rows contents of the version's rows, where a model commitment of them is promised; null for claims of queries alone
 * @throws MOD_CLAIMS_TOO_LARGE, MOD_ROWS_NOT_POSTABLE, and what `openTracedText` throws
 */
export async function withTracing<Parts extends TextParts>(
  parts: Parts,
  claimant: Address,
  setting: TextSetting,
  rows: readonly Uint8Array[] | null,
): Promise<Parts> {
  await requireClaimable(parts.recipe, setting);
  if (rows !== null) await requirePostable(parts.recipe, rows, setting);
  const tracing = { claimant: claimant.toLowerCase(), digest: zeroHash as string };
  const promised = { ...tracing, ...(rows === null ? {} : { rows: true as const }) };
  const recipe: TextRecipe = { ...parts.recipe, tracing: promised };
  const digest = await tracingOf({ ...parts, recipe }, setting);
  return { ...parts, recipe: { ...recipe, tracing: { ...promised, digest } } };
}

/** The digest of the model's own numbers, of a recipe that promises one. @throws what `openTracedText` throws */
async function tracingOf(
  parts: Pick<TextParts, "adapter" | "queryMap" | "recipe">,
  setting: TextSetting,
): Promise<Hex> {
  const traced = await openTracedText({ rollup: zeroAddress, modelId: 0n }, parts, setting);
  return tracingDigest(tracedOf(traced, parts.recipe, getAddress(parts.recipe.tracing!.claimant)));
}

/** Whether the recipe's digest is that of the model's own numbers. False where it promises nothing. */
export function isTracedBy(traced: TracedTextModel, recipe: TextRecipe): boolean {
  const { tracing } = recipe;
  if (tracing === undefined) return false;
  return tracing.digest === tracingDigest(tracedOf(traced, recipe, getAddress(tracing.claimant)));
}

/**
 * The training, for whoever verifies: with the digest of a model that promises claims, computed again. Its `promise` throws
 * MOD_CLAIMS_TOO_LARGE of a recipe whose longest answers leave no room for a claim, or whose numbers no game shows, and MOD_ROWS_NOT_POSTABLE of one that
 * promises rows which no model commitment takes.
 */
export function withPromise(
  training: FamilyTraining<TextParts>,
  setting: TextSetting,
): FamilyTraining<TextParts> {
  return {
    ...training,
    async promise(parts) {
      const { recipe } = parts;
      if (recipe.tracing === undefined) return null;
      await requireClaimable(recipe, setting);
      if (promisesRows(recipe)) await requirePostableModel(recipe, setting);
      return { published: recipe.tracing.digest, computed: await tracingOf(parts, setting) };
    },
  };
}

/** Trainings of every family; those of language models with what their statics promise of their own numbers. */
export async function trainingsWithPromises(places: BasePlaces): Promise<readonly FamilyTraining[]> {
  const [trainings, setting] = await Promise.all([modelTrainings(places), textSetting(places)]);
  return trainings.map((one) =>
    one.family.name === "text" ? (withPromise(one as never, setting) as FamilyTraining) : one,
  );
}
