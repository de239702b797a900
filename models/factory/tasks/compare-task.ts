/**
 * Comparison that a job's page shows: the base's and the tuned model's answers to the same prompts, with losses in nats a token.
 * Runs in a process of its own (task-process.ts).
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { directFamilyOf } from "@openledger/attribution/model/direct/direct-family";
import { readModel } from "@openledger/attribution/model/model-directory";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { DIRECT } from "@openledger/attribution/model/recipe-fields";
import { decodeTextRow } from "@openledger/attribution/rows/text-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { answerRow, rowLoss } from "../../engine/architecture/loss-gradient.ts";
import type { Transformer } from "../../engine/architecture/transformer.ts";
import type { TextTokens } from "../../engine/tokens/tokenizer.ts";
import { factoryError } from "../../model-errors.ts";
import { drawSeedOf } from "../../tuning/recipe/draw-seed.ts";
import { openQuestionEncoder } from "../../tuning/recipe/question-encoder.ts";
import { indexReader, type ReadPrompt } from "../../tuning/recipe/read-prompt.ts";
import { promptOfRow, type RowPrompt } from "../../tuning/recipe/row-prompts.ts";
import { loadText } from "../../tuning/recipe/text-model.ts";
import { isCiting, questionTokens, type TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import { promptOf, rowQuestion, tokensOfPrompt } from "../../tuning/recipe/text-tokens.ts";
import { heldOutRows } from "../../tuning/recipe/text-training.ts";
import { makeIndex } from "../../tuning/retrieval/make-index.ts";
import { generate } from "../../tuning/training/generate.ts";
import { readVectorsFrom } from "../../tuning/vectors/vector-places.ts";
import type { FactoryComparison } from "../factory-api.ts";
import { ADAPTER_FOLDER, MODEL_FOLDER, readDatasetRows } from "./dataset-files.ts";
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
  const { family, ...model } = await readModel(join(jobFolder, MODEL_FOLDER), [
    directFamilyOf(readVectorsFrom()) as never,
  ]);
  const answering = await family.open({ family, ...model });
  const noLoss = { base: null, baseLoss: null, tunedLoss: null, expected: null };
  return {
    answers: (prompts ?? []).map((prompt) => ({
      prompt,
      tuned: answering.answer(prompt).label!,
      citedRows: [],
      ...noLoss,
    })),
  };
}

async function compareWriters(task: CompareTask, recipe: TextRecipe): Promise<FactoryComparison> {
  const { answerTokens, jobFolder } = task;
  const adapter = await readFile(join(jobFolder, ADAPTER_FOLDER, "adapter_model.safetensors"));
  const rows = await readDatasetRows(task.rowsFolder);
  const max = Math.max(recipe.rowTokens, recipe.answers.promptTokens + recipe.answers.answerTokens);
  const { loaded, tokens } = await loadText(recipe, settingOf(task), {
    adapter,
    maxRows: max,
    adapterBlocks: 1,
    rowCount: 1,
  });
  const tuned = loaded.model;
  const base: Transformer = { ...tuned, adapter: null };
  // The published model has the same index, where there is one.
  const encode = await openQuestionEncoder(recipe, settingOf(task));
  const index = isCiting(recipe) ? makeIndex(rows, recipe, encode) : null;
  const read = indexReader(tokens, recipe, index, { encode });
  const prompts =
    task.prompts?.map((prompt) => ({ prompt, expected: null })) ?? heldOutPrompts(rows, recipe, tokens);
  return {
    answers: prompts.map(({ expected, prompt }) => {
      const question = rowQuestion(tokens, prompt, recipe);
      const plain = promptOf(recipe, tokensOfPrompt(tokens, question, recipe));
      const answerOf = (model: Transformer, input: readonly number[]) => {
        const tokenCount = Math.min(answerTokens, recipe.answers.answerTokens, max - input.length);
        const options = { ...recipe.answers, seed: drawSeedOf(recipe, question), tokenCount };
        return tokens.decode([...generate(model, input, options)]);
      };
      const expectedTokens = expected === null ? [] : tokens.encode(expected).slice(0, max - plain.length);
      const row = expectedTokens.length === 0 ? null : answerRow(plain, expectedTokens);
      return {
        prompt,
        expected,
        base: answerOf(base, plain),
        ...answerByRows(
          () => read(question),
          (input) => answerOf(tuned, input),
        ),
        // What tuning added, on both sides without rows.
        baseLoss: row === null ? null : rowLoss(base, row, null),
        tunedLoss: row === null ? null : rowLoss(tuned, row, null),
      };
    }),
  };
}

/** Answer as the served model gives it: a row's own, or written from the rows that are found; null where no row answers. */
function answerByRows(read: () => ReadPrompt, write: (input: readonly number[]) => string) {
  try {
    const { cited, given, said } = read();
    return { tuned: said ?? write(given), citedRows: cited?.citations.map(({ row }) => row) ?? [] };
  } catch (error) {
    if (!isRollupError(error, "ATT_NO_ROW_ANSWERS")) throw error;
    return { tuned: null, citedRows: [] };
  }
}

/** Prompts from rows that were not trained on, as long as the model takes. @throws SRV_BAD_REQUEST if there is none */
function heldOutPrompts(rows: readonly OwnedRow[], recipe: TextRecipe, tokens: TextTokens): RowPrompt[] {
  const fits = ({ prompt }: RowPrompt) =>
    tokens.encode(rowQuestion(tokens, prompt, recipe)).length <=
    questionTokens(recipe) - (recipe.beginTokens?.length ?? 0);
  const prompts = heldOutRows(rows.length, recipe)
    .map((i) => promptOfRow(decodeTextRow(rows[i]!.content)))
    .filter((prompt) => prompt !== null && fits(prompt)) as RowPrompt[];
  if (prompts.length > 0) return prompts.slice(0, MAX_ROWS);
  throw factoryError("SRV_BAD_REQUEST", "no row was held out: name prompts of your own", {
    data: { fields: ["prompts"] },
  });
}
