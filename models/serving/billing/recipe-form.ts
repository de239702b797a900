/**
 * Compares what a request wants with what a registered model's recipe decides: the receipt binds one answer, made in the recipe's
 * form. ledger-billing.ts refuses by it, never passes over a field.
 */
import { servingError } from "../../model-errors.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";

/** Fields of a request that a recipe decides; null or undefined where the request leaves them to the model. */
export interface WantedForm {
  readonly max_tokens?: number | null | undefined;
  readonly max_completion_tokens?: number | null | undefined;
  readonly max_output_tokens?: number | null | undefined;
  readonly temperature?: number | null | undefined;
  readonly top_p?: number | null | undefined;
  readonly seed?: number | null | undefined;
  readonly stop: readonly string[];
}

/** @throws RollupError SRV_BAD_REQUEST naming the field, and the value that the recipe has */
export function requireRecipeForm(expected: WantedForm, { answers }: Pick<TextRecipe, "answers">): void {
  const { answerTokens, temperature } = answers;
  for (const name of ["max_tokens", "max_completion_tokens", "max_output_tokens"] as const)
    if ((expected[name] ?? answerTokens) < answerTokens)
      throw refused(name, `${answerTokens}, or more`, "the receipt binds the whole answer");
  if ((expected.temperature ?? temperature) !== temperature)
    throw refused("temperature", String(temperature), "the recipe decides it");
  if (expected.stop.length > 0) throw refused("stop", "none", "the receipt binds the whole answer");
  // The likeliest token is the same with any seed and any part of the choice.
  if (temperature === 0) return;
  if ((expected.top_p ?? 1) !== 1) throw refused("top_p", "1", "the recipe decides it");
  if (expected.seed != null) throw refused("seed", "none", "recipe and prompt draw it");
}

function refused(param: string, fits: string, why: string) {
  const message = `${param}: answers of this model are paid for, and ${why}. Leave it out; what fits is ${fits}`;
  return servingError("SRV_BAD_REQUEST", message, { data: { param, fits, openaiCode: "unsupported_value" } });
}
