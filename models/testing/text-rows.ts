/** Rows of plain texts for tests, with owners, and a byte model small enough to tune in a second. */

import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { encodeTextRow, type TextRow } from "@openledger/attribution/rows/text-rows";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import type { RecipeBaseModel } from "../tuning/recipe/base-files.ts";
import type { TextRecipe } from "../tuning/recipe/text-recipe.ts";

/** Tokens are bytes. */
export const byteConfig = {
  model_type: "llama",
  vocab_size: 256,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 96,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
} as const;

const SUBJECTS = ["The union", "The Congress", "Our country", "The treasury", "A nation", "The navy"];
const VERBS = ["is strong", "grows", "must pay", "has a debt", "keeps the peace", "asks for help"];

/** Texts and questions with answers, no two alike. */
export function sampleTexts(count: number): TextRow[] {
  return Array.from({ length: count }, (_, i) => {
    const [subject, verb] = [SUBJECTS[i % 6]!, VERBS[Math.floor(i / 6) % 6]!];
    return i % 5 === 4
      ? { prompt: `${subject}?`, answer: `${subject} ${verb} ${i}.` }
      : { text: `${subject} ${verb} ${i}.` };
  });
}

/** Contributors 5 and 6, validator 8. */
export function ownedTexts(rows: readonly TextRow[]): OwnedRow[] {
  return rows.map((row, i) => ({
    content: encodeTextRow(row),
    contributorId: i < rows.length / 2 ? 5 : 6,
    validatorId: 8,
  }));
}

/** A small recipe for these rows. Needs `initPoseidon`. */
export function textRecipeFor(
  rows: readonly OwnedRow[],
  base: RecipeBaseModel,
  changed: Partial<TextRecipe> = {},
): TextRecipe {
  const root = versionRowsRoot(
    rows.map(({ content, contributorId, validatorId }) => ({
      rowHash: hashRow(content),
      contributorId,
      validatorId,
    })),
  );
  return {
    version: 2,
    family: "text",
    datanet: { id: 4, version: 1, rowsRoot: hex32(root) },
    base,
    seed: "recipe",
    rowTokens: 48,
    adapter: { rank: 2, alpha: 4, targets: ["q_proj", "v_proj"] },
    tuning: {
      steps: 20,
      rowsPerStep: 4,
      rate: 0.01,
      warmupSteps: 2,
      lastPart: 1,
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      decay: 0,
    },
    method: { kind: "ek-fac", power: 0.5, damping: 0, featureCount: 32 },
    answers: { promptTokens: 32, answerTokens: 12, temperature: 0, endToken: null },
    rules: { normQuantile: 0.9, nearDuplicatesShare: false },
    columnCount: 36,
    ...changed,
  };
}
