/** A thread with one base that computes queries and estimates of many registered models: attribution-thread.ts. */
import { join } from "node:path";
import { readModelFiles } from "@openledger/attribution/model/model-directory";
import type { ModelAnswer } from "@openledger/attribution/model/model-family";
import { decodeModel, type PublishedModel } from "@openledger/attribution/model/model-files";
import {
  type AttributionEstimate,
  estimateAttribution,
} from "@openledger/attribution/scores/attribution-estimate";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { RecentValues } from "@openledger/foundation/recent-values";
import { taskSeat } from "@openledger/foundation/threads/task-seat";
import { folderSource } from "../files/folder-source.ts";
import type { KernelChoice } from "../kernels/create-kernels.ts";
import { readFrom } from "../registered/base-files.ts";
import type { ReadPrompt } from "../registered/read-prompt.ts";
import { SharedText } from "../registered/shared-text.ts";
import { type TextParts, textFamily } from "../registered/text-family.ts";
import type { TextRecipe } from "../registered/text-recipe.ts";

export interface AttributionSeat {
  readonly basePath: string;
  readonly kernels: KernelChoice;
  /** Folders of published models, each named by its model's leaf. */
  readonly folder: string;
  readonly recipes: readonly TextRecipe[];
  /** Of models' files that are held at once. */
  readonly heldBytes: number;
}

type Held = Pick<PublishedModel<TextParts>, "adapter" | "payees" | "features" | "queryMap" | "recipe">;

const { basePath, folder, heldBytes, kernels, recipes } = taskSeat<AttributionSeat>();
const setting = { bases: [readFrom(folderSource(basePath))], kernels };
const families = [textFamily(setting)];
const models = new RecentValues<number, Held>(heldBytes);

async function loadModel(modelId: number) {
  const { adapter, payees, features, queryMap, recipe } = decodeModel<TextParts>(
    await readModelFiles(join(folder, String(modelId))),
    families,
  );
  const bytes = adapter.length + queryMap.length + features.values.length;
  return { value: { adapter, payees, features, queryMap, recipe }, bytes };
}

interface OfModel {
  readonly modelId: number;
}

interface OfPrompt extends OfModel {
  readonly prompt: string;
}

await initPoseidon();
const opening = SharedText.open(recipes, setting);
// Whoever waits for it is told.
opening.catch(() => {});

const heldModel = (modelId: number): Promise<Held> => models.get(modelId, () => loadModel(modelId));

async function seatedModel(modelId: number) {
  const shared = await opening;
  return shared.seat(await heldModel(modelId));
}

/** Resolves once the base is loaded. @throws RollupError what it is refused for */
export async function open(_: null): Promise<void> {
  await opening;
}

export const estimate = async ({
  modelId,
  query,
}: OfModel & { readonly query: Int16Array }): Promise<AttributionEstimate> =>
  estimateAttribution(await heldModel(modelId), query);

export const queryOf = async ({
  modelId,
  prompt,
  text,
}: OfPrompt & { readonly text: string }): Promise<Int16Array> =>
  (await seatedModel(modelId)).queryOf!(prompt, text);

export const read = async ({ modelId, prompt }: OfPrompt): Promise<ReadPrompt> =>
  (await seatedModel(modelId)).read(prompt);

/** @param tell the text so far */
export const answer = async (
  { modelId, prompt }: OfPrompt,
  tell: (soFar: string) => void,
): Promise<ModelAnswer> => (await seatedModel(modelId)).answer(prompt, tell);
