/**
 * Export of a whole model: adds a job's adapter to its base and writes safetensors of float32 with the base's other files. Runs
 * in a process of its own (task-process.ts).
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import type { Transformer } from "../../engine/architecture/transformer.ts";
import { readWhole } from "../../engine/files/byte-source.ts";
import { encodeModel } from "../../engine/files/write-model.ts";
import { TEMPLATE_FILE } from "../../engine/tokens/text-marks.ts";
import { baseSourceAt } from "../../tuning/base/base-address.ts";
import { MARK_FILES } from "../../tuning/recipe/base-files.ts";
import { loadText } from "../../tuning/recipe/text-model.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import { ADAPTER_FOLDER, MERGED_FOLDER } from "./dataset-files.ts";
import type { ModelTask } from "./task-messages.ts";
import { settingOf } from "./task-model.ts";

/** Bound on a base's small files; tokenizers have some MB. */
const MAX_FILE_BYTES = 64 * 2 ** 20;
/** Files of a whole model beside its weights. */
const BESIDE = ["config.json", "tokenizer.json", "tokenizer_config.json", TEMPLATE_FILE, ...MARK_FILES];

/** A whole model: W + alpha / rank · A B in float32, with the base's other files as they are. */
export async function merge(task: ModelTask & { readonly jobFolder: string }): Promise<null> {
  const { basePlace, jobFolder } = task;
  const recipe = task.recipe as TextRecipe;
  const adapter = await readFile(join(jobFolder, ADAPTER_FOLDER, "adapter_model.safetensors"));
  const { loaded } = await loadText({ ...recipe, weights: "float32" }, settingOf(task), {
    adapter,
    maxRows: 1,
    adapterBlocks: 1,
    rowCount: 1,
  });
  const { model } = loaded;
  addAdapter(model);
  const folder = join(jobFolder, MERGED_FOLDER);
  const source = baseSourceAt(basePlace);
  for (const name of BESIDE) {
    const bytes = await readWhole(source, name, MAX_FILE_BYTES);
    if (bytes !== null) await writeFileWhole(join(folder, name), bytes);
  }
  const { kernels, layout, parameters, shape } = model;
  await writeFileWhole(
    join(folder, "model.safetensors"),
    encodeModel(shape, layout, kernels.arena, parameters, "F32"),
  );
  return null;
}

/** Adds the adapter to the weights in place. Each number is a sum in the order of the ranks, in float32. */
function addAdapter({ adapter, kernels: { arena }, layout, parameters }: Transformer): void {
  const { at, layout: parts } = adapter!;
  const { rank } = parts.settings;
  for (const { a, b, firstOutput, inputs, layer, linear, outputs } of parts.parts) {
    const { outputs: rowLength, weight } = layout.layers[layer]!.linears[linear]!;
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < outputs; j++) {
        let sum = 0;
        for (let k = 0; k < rank; k++)
          sum += Math.fround(arena[at + a + i * rank + k]! * arena[at + b + k * outputs + j]!);
        const place = parameters + weight + i * rowLength + firstOutput + j;
        arena[place] = Math.fround(arena[place]! + Math.fround(parts.factor * sum));
      }
    }
  }
}
