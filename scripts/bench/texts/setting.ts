/**
 * Test bed of `npm run bench -- attribution` for language models: the preset "texts" and the default base, on texts that the
 * base was not trained on.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { usualRewards } from "@openledger/attribution/model/base-policy";
import type { TokenRow } from "@openledger/models/engine/architecture/loss-gradient";
import type { WeightNumbers } from "@openledger/models/engine/architecture/model-shape";
import { baseSourceAt, OWN_BASE, OWN_BASE_NAME } from "@openledger/models/tuning/base/base-address";
import { baseCorpus } from "@openledger/models/tuning/base/base-corpus";
import { readFrom } from "@openledger/models/tuning/recipe/base-files";
import { completeRecipe, textPreset } from "@openledger/models/tuning/recipe/recipe-presets";
import { loadText, type PlacedText } from "@openledger/models/tuning/recipe/text-model";
import { parseTextRecipe, type TextRecipe } from "@openledger/models/tuning/recipe/text-recipe";
import { tokensOfRow, weighedByTokens } from "@openledger/models/tuning/recipe/text-tokens";
import { blocksFor } from "@openledger/models/tuning/recipe/text-training";
import type { TuningRecipe } from "@openledger/models/tuning/training/tune-adapter";

/** The rewards of a new card of passages. */
export const NEW_CARD = JSON.stringify({ rewards: usualRewards("passage") });
export const CACHE = join(".cache", "text-attribution");
/** Maximum characters of a row. */
const PIECE = 100;
/** Rows and queries that come from one document, on average. */
const PIECES_OF_DOCUMENT = 32;

export interface TextSetting {
  readonly rowCount: number;
  readonly queryCount: number;
  /** Maximum features. */
  readonly columnCount: number;
  /** A folder of texts; null for those that were held out from the base. */
  readonly corpus: string | null;
  /** Weight numbers of the base. */
  readonly weights: WeightNumbers;
}

/** The model with room for all rows, and the queries that it gets. */
export interface TextWorld {
  readonly recipe: TextRecipe;
  readonly placed: PlacedText;
  readonly texts: Record<"rows" | "queries", readonly string[]>;
  readonly rows: readonly TokenRow[];
  readonly queries: readonly TokenRow[];
}

export async function openWorld({
  columnCount,
  corpus,
  queryCount,
  rowCount,
  weights,
}: TextSetting): Promise<TextWorld> {
  const source = baseSourceAt(OWN_BASE);
  const preset = await textPreset(source, OWN_BASE_NAME, { rowCount, columnCount });
  const draft = { ...preset, weights };
  const datanet = { id: 1, version: 1, rowsRoot: 0n };
  const recipe = parseTextRecipe(completeRecipe(draft, datanet, columnCount, NEW_CARD));
  const placed = await loadText(
    recipe,
    { bases: [readFrom(source)], kernels: "native" },
    { adapter: null, maxRows: recipe.rowTokens, adapterBlocks: blocksFor(recipe), rowCount },
  );
  const documents = corpus === null ? baseCorpus().heldOut : textsIn(corpus);
  const used = documents.slice(0, Math.ceil((rowCount + queryCount) / PIECES_OF_DOCUMENT)).flatMap(piecesOf);
  if (used.length < rowCount + queryCount) throw new Error(`the texts have ${used.length} pieces`);
  const order = new SeededRandom("text attribution").permutation(used.length);
  const chosen = Array.from(order.subarray(0, rowCount + queryCount), (k) => used[k]!);
  const texts = { rows: chosen.slice(0, rowCount), queries: chosen.slice(rowCount) };
  const encode = (text: string) => tokensOfRow(placed.tokens, { text }, recipe);
  const [rows, queries] = [texts.rows.map(encode), texts.queries.map(encode)];
  return {
    recipe,
    placed,
    texts,
    queries,
    rows: recipe.tuning.weigh === undefined ? rows : weighedByTokens(rows),
  };
}

/** @param part of the rows that are trained on, and so of the steps */
export function tuningOf({ seed, tuning }: TextRecipe, part: number): TuningRecipe {
  return { ...tuning, seed, steps: Math.round(tuning.steps * part) };
}

const textsIn = (folder: string): string[] =>
  readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), "utf8"));

/** Whole words. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const word of text.split(/\s+/)) {
    if (piece.length + 1 + word.length > PIECE) {
      if (piece !== "") pieces.push(piece);
      piece = word.slice(0, PIECE);
    } else piece = piece === "" ? word : `${piece} ${word}`;
  }
  return pieces;
}

export const hashOf = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};
