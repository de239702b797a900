/**
 * Opens the sentence encoder that a recipe names for its questions. Training, answering and verification read the same file by its hash,
 * so they find the same rows.
 */
import { requireNamed, requireVectors } from "@openledger/attribution/inputs/open-inputs";
import { modelError } from "../../model-errors.ts";
import { type EncodeQuestion, vectorDigits } from "../retrieval/question-vectors.ts";
import { openSentenceFile } from "../vectors/sentence-file.ts";
import type { TextSetting } from "./text-model.ts";
import type { TextRecipe } from "./text-recipe.ts";

/**
 * Returns null for a recipe without an encoder.
 * @throws RollupError ATT_VECTORS_MISSING where no place has its file, ATT_VECTORS_INVALID for another file; MOD_FILE_INVALID and what else
 *   an encoder is refused for
 */
export async function openQuestionEncoder(
  { retrieval }: Pick<TextRecipe, "retrieval">,
  { kernels, readEncoder }: Pick<TextSetting, "kernels" | "readEncoder">,
): Promise<EncodeQuestion | null> {
  const file = retrieval?.encoder;
  if (file === undefined) return null;
  const bytes = await requireVectors(file, readEncoder);
  requireNamed(bytes, file);
  const { dimensions, encodeQuestion } = await openSentenceFile(bytes, kernels);
  if (dimensions < file.dimensions)
    throw modelError(
      "MOD_FILE_INVALID",
      `the sentence encoder ${file.name} has ${dimensions} components, and the recipe takes ${file.dimensions}`,
      { data: { reason: "dimensions", dimensions, wanted: file.dimensions } },
    );
  // A question is read for its answer, for its row and for its query.
  let last: { readonly question: string; readonly digits: Int8Array } | null = null;
  return (question) => {
    if (last?.question !== question)
      last = { question, digits: vectorDigits(encodeQuestion(question).components, file.dimensions) };
    return last.digits;
  };
}
