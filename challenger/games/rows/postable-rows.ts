/** Whether rows of a language model can be posted: what the judges of language models take (docs/explanation/fault-proofs.md). */
import { MOST_CHALLENGED_ROWS } from "@openledger/attribution/model/recipe-fields";
import type { ModelShape } from "@openledger/models/architecture/model-shape";
import { modelError } from "@openledger/models/model-errors";
import { openBase, shapeOfBase } from "@openledger/models/registered/base-files";
import type { TextSetting } from "@openledger/models/registered/text-model";
import { type TextRecipe, tracedTokens } from "@openledger/models/registered/text-recipe";
import { MOST_TRACED_TOKENS, spelledRow } from "@openledger/models/registered/text-tokens";
import { JOINING, readSpelling, type TokenSpelling } from "@openledger/models/tokens/token-spelling";
import { openTokenizer } from "@openledger/models/tokens/tokenizer";
import { mostOpened, mostShownNumbers, traceFault } from "../claims/claimable.ts";
import { MOST_TEXT_ROW_BYTES, textsOfContent } from "./text-row-tokens.ts";

/** Of G; contracts/disputes/ModelCommitments.sol. */
const MOST_COLUMNS = 320;
/** Floats of a word: the map makes whole words. */
const WORD_FLOATS = 8;

/** Why no row of a model can be posted: `data.reason`. */
export type NotPostable =
  | "base-rule"
  | "held-out"
  | "method"
  | "columns"
  | "features"
  | "row-tokens"
  | "rows"
  | "row-bytes"
  | "vocabulary"
  | "width"
  | "trace-size"
  | "whole-token"
  | "row";

/** As far as the recipe says it. @param shape the base's @throws MOD_ROWS_NOT_POSTABLE */
function requirePostableRecipe(
  {
    columnCount,
    heldOut = 0,
    method,
    rowTokens,
    rules,
  }: Pick<TextRecipe, "columnCount" | "heldOut" | "method" | "rowTokens" | "rules">,
  shape: Pick<ModelShape, "width">,
): void {
  const { featureCount } = method;
  if (rules.base !== undefined || rules.thresholdPermille !== undefined || rules.surprisal !== undefined)
    throw notPostable("base-rule", "its recipe has a base, a threshold or surprisal for every row");
  if (method.kind !== "ek-fac")
    throw notPostable("method", `L1 judges no ${method.kind} rows: name the method "ek-fac" in its recipe`);
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
  const [numbers, most] = [mostOpened(shape), mostShownNumbers(rowTokens)];
  if (numbers > most)
    throw notPostable(
      "width",
      `of width ${shape.width} a game over rows of ${rowTokens} tokens shows ${numbers} numbers at once, and ${most} at most`,
      { width: shape.width, numbers, mostNumbers: most },
    );
}

/**
 * As far as recipe and base say it, whatever the rows are. @throws MOD_ROWS_NOT_POSTABLE, and what a base is refused for
 */
export async function requirePostableModel(recipe: TextRecipe, setting: TextSetting) {
  const shape = await shapeOfBase(recipe.base, setting.bases);
  requirePostableRecipe(recipe, shape);
  const fault = traceFault(recipe, shape, tracedTokens(recipe, true));
  if (fault !== null) throw notPostable("trace-size", fault);
  const source = await openBase(recipe.base, setting.bases);
  const spelling = await readSpelling(source, shape.vocabularySize);
  if (spelling === null)
    throw notPostable("vocabulary", "its tokenizer's tokens do not spell a text byte by byte");
  // Attack: an owner who posts other tokens of the same bytes, of which only the spelling is compared.
  if (spelling.joining === JOINING.none && !areBytes(spelling))
    throw notPostable("vocabulary", "L1 does not know by which rules its tokenizer joins bytes");
  return { spelling, tokens: await openTokenizer(source, shape.vocabularySize) };
}

/** Whether each token is another byte: then a text has one spelling alone. */
function areBytes({ tokens }: TokenSpelling): boolean {
  const known = new Set(tokens.map(({ bytes }) => (bytes.length === 1 ? bytes[0] : undefined)));
  return !known.has(undefined) && known.size === tokens.length && tokens.every(({ rule }) => rule === null);
}

/**
 * Texts of tokens that no rule makes: a tokenizer takes them whole where they stand in a text, and L1 takes their bytes'
 * tokens as well. @returns bytes of each
 */
export function wholeTexts({ tokens }: TokenSpelling): readonly Buffer[] {
  const bases = new Set<number>();
  return tokens.flatMap(({ bytes, rule }) => {
    if (rule !== null || bytes.length === 0) return [];
    if (bytes.length > 1 || bases.has(bytes[0]!)) return [Buffer.from(bytes)];
    bases.add(bytes[0]!);
    return [];
  });
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
  const { spelling, tokens } = await requirePostableModel(recipe, setting);
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
  requireNoWholeTexts(wholeTexts(spelling), contents);
  for (const [row, content] of contents.entries()) {
    try {
      spelledRow(tokens, spelling, content, recipe);
    } catch (cause) {
      throw notPostable("row", `row ${row}: ${(cause as Error).message}`, { row }, cause);
    }
  }
}

/** @throws MOD_ROWS_NOT_POSTABLE "whole-token", with the row and the text */
function requireNoWholeTexts(whole: readonly Buffer[], contents: readonly Uint8Array[]): void {
  for (const [row, content] of contents.entries())
    for (const text of textsOfContent(content) ?? []) {
      const found = whole.find((bytes) => Buffer.from(text).includes(bytes));
      if (found === undefined) continue;
      const token = new TextDecoder().decode(found);
      const why = `row ${row} has ${JSON.stringify(token)}, which the tokenizer takes whole: L1 takes other tokens of it, too`;
      throw notPostable("whole-token", why, { row, token });
    }
}

const notPostable = (reason: NotPostable, why: string, data: object = {}, cause?: unknown) =>
  modelError("MOD_ROWS_NOT_POSTABLE", `the model's rows cannot be posted: ${why}`, {
    data: { reason, ...data },
    ...(cause === undefined ? {} : { cause }),
  });
