/** A thread with one base that computes queries and estimates of many registered models: started by attribution-thread.ts. */
import { join } from "node:path";
import { workerData } from "node:worker_threads";
import { readModelFiles } from "@openledger/attribution/model/model-directory";
import type { ModelAnswer } from "@openledger/attribution/model/model-family";
import { decodeModel, type PublishedModel } from "@openledger/attribution/model/model-files";
import {
  type AttributionEstimate,
  estimateAttribution,
} from "@openledger/attribution/scores/attribution-estimate";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { RecentValues } from "@openledger/foundation/recent-values";
import { serveTasks } from "@openledger/foundation/threads/task-worker";
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

/** What is asked of a model. */
export type AttributionTask = { readonly modelId: number } & (
  | { readonly kind: "query"; readonly prompt: string; readonly text: string }
  | { readonly kind: "answer" | "read"; readonly prompt: string }
  | { readonly kind: "estimate"; readonly query: Int16Array }
);
export type AttributionResults = {
  readonly query: Int16Array;
  readonly answer: ModelAnswer;
  readonly read: ReadPrompt;
  readonly estimate: AttributionEstimate;
};
type Held = Pick<PublishedModel<TextParts>, "adapter" | "payees" | "features" | "queryMap" | "recipe">;

const { basePath, folder, heldBytes, kernels, recipes } = workerData as AttributionSeat;
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

await serveTasks<AttributionTask>(async () => {
  await initPoseidon();
  const shared = await SharedText.open(recipes, setting);
  return async (task, tellPart): Promise<AttributionResults[keyof AttributionResults]> => {
    const model = await models.get(task.modelId, () => loadModel(task.modelId));
    if (task.kind === "estimate") return estimateAttribution(model, task.query);
    const seated = await shared.seat(model);
    if (task.kind === "query") return seated.queryOf!(task.prompt, task.text);
    return task.kind === "read" ? seated.read(task.prompt) : seated.answer(task.prompt, tellPart);
  };
});
