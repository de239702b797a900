/**
 * Comparison that a job's page shows: the base's and the tuned model's answers to the same prompts, with losses in nats a token.
 * Runs in a process of its own (task-process.ts).
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { directFamily } from "@openledger/attribution/model/direct/direct-family";
import { readModel } from "@openledger/attribution/model/model-directory";
import { DIRECT } from "@openledger/attribution/model/recipe-fields";
import { decodeTextRow } from "@openledger/attribution/rows/text-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { answerRow, rowLoss } from "../../engine/architecture/loss-gradient.ts";
import type { Transformer } from "../../engine/architecture/transformer.ts";
import { factoryError } from "../../model-errors.ts";
import { loadText } from "../../tuning/recipe/text-model.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import { promptOf, rowQuestion } from "../../tuning/recipe/text-tokens.ts";
import { heldOutRows } from "../../tuning/recipe/text-training.ts";
import { generate } from "../../tuning/training/generate.ts";
import type { FactoryComparison } from "../factory-api.ts";
import { ADAPTER_FOLDER, MODEL_FOLDER, readDatasetRows } from "./dataset-files.ts";
import { promptOfRow, type RowPrompt } from "./row-prompts.ts";
import type { CompareTask } from "./task-messages.ts";
import { settingOf } from "./task-model.ts";

/** Maximum held-out rows that are compared where the user names no prompts. */
const MAX_ROWS = 4;

/** Compares base and tuned model side by side: their answers, and their losses on the expected continuation. */
export async function compare(task: CompareTask): Promise<FactoryComparison> {
  return task.recipe.family === DIRECT ? answerSorted(task) : compareWriters(task, task.recipe as TextRecipe);
}

/** Answers of a model that sorts; it has no base to compare with. @throws ATT_ROW_INVALID for another kind of input */
async function answerSorted({ jobFolder, prompts }: CompareTask): Promise<FactoryComparison> {
  await initPoseidon();
  const { family, ...model } = await readModel(join(jobFolder, MODEL_FOLDER), [directFamily as never]);
  const answering = await family.open({ family, ...model });
  const noLoss = { base: null, baseLoss: null, tunedLoss: null, expected: null };
  return {
    answers: (prompts ?? []).map((prompt) => ({ prompt, tuned: answering.answer(prompt).label!, ...noLoss })),
  };
}

async function compareWriters(task: CompareTask, recipe: TextRecipe): Promise<FactoryComparison> {
  const { answerTokens, jobFolder } = task;
  const adapter = await readFile(join(jobFolder, ADAPTER_FOLDER, "adapter_model.safetensors"));
  const prompts =
    task.prompts?.map((prompt) => ({ prompt, expected: null })) ?? (await heldOutPrompts(task, recipe));
  const { loaded, tokens } = await loadText(recipe, settingOf(task), {
    adapter,
    maxRows: Math.max(recipe.rowTokens, recipe.answers.promptTokens),
    adapterBlocks: 1,
    rowCount: 1,
  });
  const tuned = loaded.model;
  const base: Transformer = { ...tuned, adapter: null };
  const max = Math.max(recipe.rowTokens, recipe.answers.promptTokens);
  return {
    answers: prompts.map(({ expected, prompt }) => {
      const promptTokens = promptOf(recipe, tokens.encode(rowQuestion(tokens, prompt, recipe)));
      if (promptTokens.length === 0 || promptTokens.length + 1 > max)
        throw factoryError(
          "SRV_BAD_REQUEST",
          `the prompt has ${promptTokens.length} tokens, 1 to ${max - 1} fit`,
          {
            data: { fields: ["prompts"] },
          },
        );
      const options = {
        ...recipe.answers,
        seed: recipe.seed,
        tokenCount: Math.min(answerTokens, max - promptTokens.length),
      };
      const answerOf = (model: Transformer) => tokens.decode([...generate(model, promptTokens, options)]);
      const expectedTokens =
        expected === null ? [] : tokens.encode(expected).slice(0, max - promptTokens.length);
      const row = expectedTokens.length === 0 ? null : answerRow(promptTokens, expectedTokens);
      return {
        prompt,
        expected,
        base: answerOf(base),
        tuned: answerOf(tuned),
        baseLoss: row === null ? null : rowLoss(base, row, null),
        tunedLoss: row === null ? null : rowLoss(tuned, row, null),
      };
    }),
  };
}

/** Prompts from rows that were not trained on. @throws SRV_BAD_REQUEST if there is none */
async function heldOutPrompts({ rowsFolder }: CompareTask, recipe: TextRecipe): Promise<RowPrompt[]> {
  const rows = await readDatasetRows(rowsFolder);
  const prompts = heldOutRows(rows.length, recipe)
    .map((i) => promptOfRow(decodeTextRow(rows[i]!.content)))
    .filter((prompt) => prompt !== null);
  if (prompts.length > 0) return prompts.slice(0, MAX_ROWS);
  throw factoryError("SRV_BAD_REQUEST", "no row was held out: name prompts of your own", {
    data: { fields: ["prompts"] },
  });
}
