/** Whether rows of a language model can be posted: what TextDisputes and its judges take (docs/lm-disputes.md). */
import { MOST_CHALLENGED_ROWS } from "../../attribution/model/recipe-fields.ts";
import { openModel } from "../files/open-model.ts";
import { modelError } from "../model-errors.ts";
import { openBase, vocabularySizeOf } from "../registered/base-files.ts";
import type { TextSetting } from "../registered/text-model.ts";
import type { TextRecipe } from "../registered/text-recipe.ts";
import { MOST_TRACED_TOKENS, mostShownNumbers, spelledRow } from "../registered/text-tokens.ts";
import { readSpelling } from "../tokens/token-spelling.ts";
import { openTokenizer } from "../tokens/tokenizer.ts";
import { MOST_TEXT_ROW_BYTES } from "./text-row-tokens.ts";

/** Of G; contracts/disputes/Postings.sol. */
const MOST_COLUMNS = 384;
/** Floats of a word: the map makes whole words. */
const WORD_FLOATS = 8;

/** Why no row of a model can be posted: `data.reason`. */
export type NotPostable =
  | "base-rule"
  | "held-out"
  | "columns"
  | "features"
  | "row-tokens"
  | "rows"
  | "row-bytes"
  | "vocabulary"
  | "vocabulary-size"
  | "row";

/** As far as the recipe says it. @param vocabularySize the base's, in tokens @throws MOD_ROWS_NOT_POSTABLE */
export function requirePostableRecipe(
  {
    columnCount,
    heldOut = 0,
    method,
    rowTokens,
    rules,
  }: Pick<TextRecipe, "columnCount" | "heldOut" | "method" | "rowTokens" | "rules">,
  vocabularySize: number,
): void {
  const { featureCount } = method;
  if (rules.base !== undefined) throw notPostable("base-rule", "its recipe has a base for every row");
  if (heldOut > 0)
    throw notPostable("held-out", `${heldOut} rows are held out, and have no features`, { heldOut });
  if (columnCount > MOST_COLUMNS)
    throw notPostable("columns", `${columnCount} columns, at most ${MOST_COLUMNS}`, { columnCount });
  if (featureCount % WORD_FLOATS !== 0)
    throw notPostable("features", `${featureCount} features, no multiple of ${WORD_FLOATS}`, {
      featureCount,
    });
  if (rowTokens > MOST_TRACED_TOKENS)
    throw notPostable("row-tokens", `rows of ${rowTokens} tokens, at most ${MOST_TRACED_TOKENS}`, {
      rowTokens,
    });
  const mostTokens = mostShownNumbers(rowTokens);
  if (vocabularySize > mostTokens)
    throw notPostable(
      "vocabulary-size",
      `a place has ${vocabularySize} logits, and a game over rows of ${rowTokens} tokens shows ${mostTokens} at most`,
      { vocabularySize, mostTokens },
    );
}

/**
 * Before minutes of training. @param contents of the version's rows
 * @throws MOD_ROWS_NOT_POSTABLE, and what a base is refused for
 */
export async function requirePostable(
  recipe: TextRecipe,
  contents: readonly Uint8Array[],
  setting: TextSetting,
): Promise<void> {
  requirePostableRecipe(recipe, await vocabularySizeOf(recipe.base, setting.bases));
  if (contents.length > MOST_CHALLENGED_ROWS)
    throw notPostable("rows", `${contents.length} rows, at most ${MOST_CHALLENGED_ROWS}`, {
      rowCount: contents.length,
    });
  const long = contents.findIndex(({ length }) => length > MOST_TEXT_ROW_BYTES);
  if (long >= 0)
    throw notPostable(
      "row-bytes",
      `row ${long} has ${contents[long]!.length} bytes, at most ${MOST_TEXT_ROW_BYTES}`,
      {
        row: long,
      },
    );
  const source = await openBase(recipe.base, setting.bases);
  const opened = await openModel(source);
  const { vocabularySize } = opened.shape;
  await opened.close();
  const spelling = await readSpelling(source, vocabularySize);
  if (spelling === null)
    throw notPostable("vocabulary", "its tokenizer's tokens do not spell a text byte by byte");
  const tokens = await openTokenizer(source, vocabularySize);
  for (const [row, content] of contents.entries()) {
    try {
      spelledRow(tokens, spelling, content, recipe);
    } catch (cause) {
      throw notPostable("row", `row ${row}: ${(cause as Error).message}`, { row }, cause);
    }
  }
}

const notPostable = (reason: NotPostable, why: string, data: object = {}, cause?: unknown) =>
  modelError("MOD_ROWS_NOT_POSTABLE", `the model's rows cannot be posted: ${why}`, {
    data: { reason, ...data },
    ...(cause === undefined ? {} : { cause }),
  });
