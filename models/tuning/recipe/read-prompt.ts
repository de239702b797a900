/**
 * Turns the prompt for a registered language model into tokens: the question, and, for a model that cites, the rows found for
 * it. Answering, attribution and what-if read prompts by it.
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import type { TextTokens } from "../../engine/tokens/tokenizer.ts";
import type { Cited } from "../retrieval/citations.ts";
import { type FindingVectors, type FoundRows, rowFinder } from "../retrieval/find-rows.ts";
import { decodeIndex, type RowIndex } from "../retrieval/row-index.ts";
import { promptParts } from "./chat-prompt.ts";
import { mapLength, type QueryMapSize } from "./query-map.ts";
import { isCiting, type TextRecipe } from "./text-recipe.ts";
import { promptOf, sourceTokens, tokensOfPrompt } from "./text-tokens.ts";

/** Tokens that a model reads for a prompt, with the rows that it cites. */
export interface ReadPrompt {
  readonly given: readonly number[];
  readonly cited: Cited | null;
  /** Text of the answer where that is a row's, word for word; null where the model writes. */
  readonly said: string | null;
}

/** Reads a prompt. @throws as `tokensOfPrompt`, and ATT_NO_ROW_ANSWERS where a model that says rows' answers has none */
type PromptReader = (prompt: string) => ReadPrompt & { readonly found: FoundRows | null };

/**
 * Reader of prompts for one model.
 * @param vectors as `rowFinder` has them
 * @throws ATT_MODEL_FILE_INVALID for a broken index
 */
export function promptReader(
  tokens: TextTokens,
  { queryMap, recipe }: { readonly queryMap: Uint8Array; readonly recipe: TextRecipe },
  size: QueryMapSize,
  vectors: FindingVectors = {},
): PromptReader {
  const index = isCiting(recipe) ? decodeIndex(queryMap.subarray(mapLength(queryMap, size)), recipe) : null;
  return indexReader(tokens, recipe, index, vectors);
}

/** Reader of prompts for a model by its index of rows; null for one that cites none. */
export function indexReader(
  tokens: TextTokens,
  recipe: TextRecipe,
  index: RowIndex | null,
  vectors: FindingVectors = {},
): PromptReader {
  const find = isCiting(recipe) ? rowFinder(index!, recipe, vectors) : null;
  return (prompt) => {
    const whole = tokensOfPrompt(tokens, prompt, recipe);
    const { head, question, tail } = promptParts(recipe, prompt);
    const found = find?.(question) ?? null;
    if (recipe.retrieval?.says === "row" && found!.said === null)
      throw attributionError(
        "ATT_NO_ROW_ANSWERS",
        "no row of the model's data answers this question, so it is not answered and costs nothing",
        { data: { nearest: found!.nearest } },
      );
    const sources = sourceTokens(tokens, found?.excerpts ?? [], recipe.retrieval?.excerptTokens ?? 0);
    return {
      // Rows stand where they do before a plain question: directly before it.
      given:
        sources.length === 0 || head === ""
          ? promptOf(recipe, whole, sources)
          : promptOf(recipe, tokens.encode(question + tail), sources, tokens.encode(head)),
      cited: found?.cited ?? null,
      said: found?.said ?? null,
      found,
    };
  };
}
