/**
 * Description of a base for the factory's list: sizes, licence and SHA-256 of its files. Runs in a process of its own
 * (task-process.ts), since files have gigabytes.
 */
import { usualTargets } from "../../engine/architecture/adapter-layout.ts";
import { openModel } from "../../engine/files/load-model.ts";
import { openTokenizer } from "../../engine/tokens/tokenizer.ts";
import { baseNameAt, baseSourceAt } from "../../tuning/base/base-address.ts";
import { licenceOf } from "../../tuning/recipe/add-base.ts";
import { describeBase } from "../../tuning/recipe/base-files.ts";
import type { TaskResults } from "./task-messages.ts";

/** Opens and hashes a base's files, and describes the base. @throws RollupError MOD_… if it is no model */
export async function describeBaseAt(place: string): Promise<TaskResults["base"]> {
  const source = baseSourceAt(place);
  const opened = await openModel(source);
  try {
    const { layout, shape } = opened;
    await openTokenizer(source, shape.vocabularySize);
    const name = baseNameAt(place);
    const files = await describeBase(source, name);
    const sizes = Object.values(files.files).map(({ sizeBytes }) => sizeBytes);
    const weights = ["model.safetensors", "model.safetensors.index.json", "model.gguf"]
      .map((file) => files.files[file])
      .find((file) => file !== undefined);
    return {
      files,
      view: {
        name,
        licence: await licenceOf(source),
        family: shape.family,
        parameterCount: layout.floatCount,
        layerCount: shape.layerCount,
        width: shape.width,
        vocabularySize: shape.vocabularySize,
        maxPositions: shape.maxPositions,
        sizeBytes: sizes.reduce((sum, size) => sum + size, 0),
        sha256: weights!.sha256,
        targets: usualTargets(shape),
      },
    };
  } finally {
    await opened.close();
  }
}
