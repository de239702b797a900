/** A small language model that cites rows, for tests. */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { folderSource } from "../engine/files/folder-source.ts";
import { describeBase, readFrom } from "../tuning/recipe/base-files.ts";
import { textFamily } from "../tuning/recipe/text-family.ts";
import type { TextSetting } from "../tuning/recipe/text-model.ts";
import type { CitingTextRecipe } from "../tuning/recipe/text-recipe.ts";
import { textTraining } from "../tuning/recipe/text-training.ts";
import { makeModel, writeMadeModel } from "./made-models.ts";
import type { ModelMaker } from "./settling-fixture.ts";
import { testKernels } from "./test-kernels.ts";
import { byteConfig, textRecipeFor } from "./text-rows.ts";

const SYLLABLES = ["ba", "do", "ki", "lu", "me", "na", "po", "ra", "si", "tu"];

/** Texts of made words, a few of which stand in several. */
export function passagesOf(count: number, wordCount: number): string[] {
  const random = new SeededRandom("passages");
  const word = () => [0, 0, 0].map(() => SYLLABLES[random.nextBelow(SYLLABLES.length)]).join("");
  return Array.from({ length: count }, () => `${Array.from({ length: wordCount }, word).join(" ")}.`);
}

/** Contributors 5 and 6, validators 8 and 9. */
export const passageRows = (passages: readonly string[]): OwnedRow[] =>
  passages.map((text, i) => ({
    content: encodeTextRow({ text }),
    contributorId: i < 20 ? 5 : 6,
    validatorId: i < 10 ? 8 : 9,
  }));

/**
 * Writes a base into the folder. Needs `initPoseidon`.
 * @param columnCount of 32 and more, half of them for rows' words @param more of the setting, as a reader of encoders
 */
export async function citingWorld(
  folder: string,
  rows: readonly OwnedRow[],
  columnCount: number,
  more: Pick<TextSetting, "readEncoder"> = {},
) {
  const base = folderSource(folder);
  await writeMadeModel(folder, makeModel({ ...byteConfig, max_position_embeddings: 256 }, "citing"));
  const setting = { bases: [readFrom(base)], kernels: testKernels, threadCount: 1, ...more };
  const family = textFamily(setting);
  const recipe = textRecipeFor(rows, await describeBase(base, "made"), {
    rowTokens: 112,
    method: { kind: "ek-fac", power: 0.5, damping: 0, featureCount: columnCount < 128 ? 16 : 32 },
    answers: { promptTokens: 216, answerTokens: 32, temperature: 0, endToken: null, weigh: "added" },
    retrieval: {
      bucketBits: 12,
      quantile: columnCount < 128 ? 0.5 : 0.9,
      thresholdColumns: columnCount < 128 ? 2 : 8,
      rows: 3,
      excerptTokens: 32,
      citationPermille: 500,
    },
    rules: { normQuantile: 1, nearDuplicatesShare: false },
    columnCount,
  }) as CitingTextRecipe;
  return { family, recipe, training: textTraining(family, setting) };
}

/**
 * Returns a maker of citing models, as `citingWorld` makes them, of a version on a ledger.
 * @param changed fields of the way it finds and pays rows
 */
export const citingMaker =
  (folder: string, changed: Partial<CitingTextRecipe["retrieval"]>): ModelMaker =>
  async (rows, ledger) => {
    const { recipe, training } = await citingWorld(folder, rows, ledger.columnCount);
    const retrieval = { ...recipe.retrieval, ...changed };
    return (await training.train(rows, { ...recipe, ...ledger, retrieval }, {})) as never;
  };
