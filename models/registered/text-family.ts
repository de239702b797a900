/** Language models as models of the ledger: the half that customers need. How they are tuned: text-training.ts. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { paddedQuery } from "../../attribution/features/quantise.ts";
import type { AnsweringModel, ModelFamily, ModelParts } from "../../attribution/model/model-family.ts";
import { restOfQuery } from "../../attribution/model/recipe-fields.ts";
import { NONE } from "../kernels/kernels.ts";
import { generate } from "../training/generate.ts";
import { runRowTask } from "../training/row-task.ts";
import { readBaseFile } from "./base-files.ts";
import { decodeMap } from "./query-map-file.ts";
import { loadText, projectPlaced, type TextSetting } from "./text-model.ts";
import { parseTextRecipe, type TextRecipe } from "./text-recipe.ts";
import { answerText, answerTokens, questionRow, tokensOfPrompt } from "./text-tokens.ts";

export interface TextParts extends ModelParts {
  readonly recipe: TextRecipe;
  /** parameters.bin: the adapter's safetensors, as PEFT keeps them. */
  readonly adapter: Uint8Array;
  /** query-map.bin. */
  readonly queryMap: Uint8Array;
}

export function textFamily(setting: TextSetting): ModelFamily<TextParts> {
  const family: ModelFamily<TextParts> = {
    name: "text",
    parseRecipe: parseTextRecipe,
    promptKind: () => "text",
    encode: ({ adapter, queryMap }) => ({ parameters: adapter, queryMap }),
    decode: (recipe, { parameters, queryMap }) => ({ family, recipe, adapter: parameters, queryMap }),
    open: (parts) => openText(parts, setting),
    readShared: ({ recipe }, file) => readBaseFile(recipe.base, file, setting.bases),
  };
  return family;
}

async function openText(
  { adapter, queryMap, recipe }: TextParts,
  setting: TextSetting,
): Promise<AnsweringModel> {
  const { answers, columnCount, method } = recipe;
  const placed = await loadText(recipe, setting, {
    adapter,
    maxRows: answers.promptTokens + answers.answerTokens,
    adapterBlocks: 1,
    rowCount: 1,
  });
  const { loaded, options, places, tokens } = placed;
  const { model } = loaded;
  decodeMap(queryMap, options, model.kernels.arena, places.directions);
  const { vocabularySize } = model.shape;
  const at = loaded.adapterBlocks[0]!;
  const query = (prompt: readonly number[], answer: readonly number[]) => {
    const block = { at, floatCount: options.gradientCount };
    const row = questionRow(prompt, answer, recipe);
    runRowTask(model, { row, block, into: { parameters: NONE, adapter: at } });
    return paddedQuery(
      projectPlaced(placed, at, 1).subarray(0, method.featureCount),
      columnCount,
      restOfQuery(recipe),
    ).values;
  };
  return {
    answer(prompt) {
      const given = tokensOfPrompt(tokens, prompt, recipe);
      const { answerTokens: tokenCount, endToken, temperature } = answers;
      const seed = drawSeedOf(recipe, prompt);
      const ends = endToken === null ? {} : { endToken };
      const answer = [...generate(model, given, { tokenCount, temperature, seed, ...ends })];
      const text = answerText(tokens, answer);
      return { label: null, confidence: null, text, query: query(given, answer) };
    },
    queryOf: (prompt, text) =>
      query(tokensOfPrompt(tokens, prompt, recipe), answerTokens(tokens, text, recipe, vocabularySize)),
  };
}

/** Recipe and prompt decide what is drawn: a server that could choose would look for a seed that suits it. */
export function drawSeedOf({ seed }: TextRecipe, prompt: string): string {
  return bytesToHex(sha256(new TextEncoder().encode(JSON.stringify([seed, prompt]))));
}
