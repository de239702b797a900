/**
 * Check that a receipt binds the prompt that was asked, for anybody who is shown the prompt. Only for direct models
 * (classifiers), whose query is the prompt's counts. verify-settlement judges the drawn answers of
 * an epoch by it: those whose payments Ethereum's randomness has sampled.
 */
import type { DirectQuery } from "@openledger/circuits/ledger/direct-query";
import { answerHash } from "@openledger/circuits/ledger/model-query";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { ReadVectors } from "../inputs/open-inputs.ts";
import { directInputs, textOfQuery } from "../model/direct/direct-inputs.ts";
import type { DirectRecipe } from "../model/direct/direct-recipe.ts";

/**
 * - same: the counts are the prompt's, and the receipt binds this prompt with the answered class
 * - withheld: no prompt was published; the payer's own check is all there is
 * - another-prompt: the receipt binds another prompt or another answer than the class says
 * - dictated: the receipt binds this prompt, but pays by counts that are not its own
 * - unverifiable: the receipt binds this prompt, and nobody here has the word vectors that the recipe counts by
 */
export type PromptVerdict = "same" | "withheld" | "another-prompt" | "dictated" | "unverifiable";

/**
 * Judges a published prompt.
 * @param opening its receipt has been hashed again (`settleEpoch` does) @param readVectors of recipes that name word vectors
 */
export async function judgePrompt(
  recipe: DirectRecipe,
  opening: { readonly answerHash: bigint; readonly query: DirectQuery; readonly prompt: string | null },
  readVectors?: ReadVectors,
): Promise<PromptVerdict> {
  const { prompt, query } = opening;
  if (prompt === null) return "withheld";
  const text = textOfQuery(recipe.classes, query);
  if (text === null || answerHash(prompt, text) !== opening.answerHash) return "another-prompt";
  try {
    const { counts: own } = (await directInputs(recipe, readVectors)).queryOf(prompt, text);
    return own.every((count, a) => count === query.counts[a]) && own.length === query.counts.length
      ? "same"
      : "dictated";
  } catch (error) {
    // No model of the kind takes such a prompt, so no honest server has answered it.
    if (isRollupError(error, "ATT_ROW_INVALID")) return "dictated";
    if (isRollupError(error, "ATT_VECTORS_MISSING") || isRollupError(error, "ATT_VECTORS_INVALID"))
      return "unverifiable";
    throw error;
  }
}
