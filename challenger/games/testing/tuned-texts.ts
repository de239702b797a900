/** Small language models of bytes: tuned, registered and published. */
import type { Trained } from "@openledger/attribution/model/model-family";
import { publishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { registerModel } from "@openledger/attribution/model/registration";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { folderSource } from "@openledger/models/files/folder-source";
import { describeBase, readFrom } from "@openledger/models/registered/base-files";
import { type TextParts, textFamily } from "@openledger/models/registered/text-family";
import type { TextRecipe } from "@openledger/models/registered/text-recipe";
import { type TrainingSetting, textTraining } from "@openledger/models/registered/text-training";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";
import { byteConfig, textRecipeFor } from "@openledger/models/testing/text-rows";

/** With the base in this folder, on one thread. */
export const settingOver = (folder: string): TrainingSetting => ({
  ...{ bases: [readFrom(folderSource(folder))], kernels: "wasm", threadCount: 1 },
});

export const recipeOver = async (
  folder: string,
  rows: readonly OwnedRow[],
  changed: Partial<TextRecipe> = {},
): Promise<TextRecipe> => textRecipeFor(rows, await describeBase(folderSource(folder), "made"), changed);

/** A base in this folder. @param config besides what a model of bytes has */
export const writeByteBase = (folder: string, config: object = { num_hidden_layers: 1 }): Promise<void> =>
  writeMadeModel(folder, makeModel({ ...byteConfig, ...config }, "text"));

/** Tunes a second. @param changed of the recipe @param config of the base, which is written into the folder */
export async function tunedTexts(
  folder: string,
  rows: readonly OwnedRow[],
  changed: Partial<TextRecipe> = {},
  config?: object,
) {
  await initPoseidon();
  await writeByteBase(folder, config);
  const setting = settingOver(folder);
  const training = textTraining(textFamily(setting), setting);
  const recipe = await recipeOver(folder, rows, changed);
  return { setting, training, parts: await training.train(rows, recipe, {}) };
}

/** As its owner registers and publishes it. */
export const registeredTexts = (
  trained: Trained<TextParts>,
  size = { rows: 8, features: 36, payees: 8, draws: 2 },
) =>
  publishedModel(
    trained,
    registerModel(trained, { split: { ownerParts: 13_107n, validatorParts: 8_192n } }, size),
    { publishRows: true },
  );
