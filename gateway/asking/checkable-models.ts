/**
 * Models by which answers are checked: their files are fetched from the model's server once, and stored by the hash of the
 * statics, which the ledger has. The asker opens each at its first question.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ANSWERING_FILES, decodeAnswering } from "@openledger/attribution/model/answering-part";
import { fetchFiles } from "@openledger/attribution/model/model-download";
import { type ModelFamily, openCheckable } from "@openledger/attribution/model/model-family";
import type { ModelFiles } from "@openledger/attribution/model/model-manifest";
import type { RecipeBase } from "@openledger/attribution/model/recipe-fields";
import { requireRegisteredStatics } from "@openledger/client/actions/answers/check-answer";
import type { CheckableModel } from "@openledger/client/actions/answers/model-answers";
import { hex32 } from "@openledger/foundation/hex";
import { RecentAnswers } from "@openledger/foundation/recent-answers";
import { writeFileWhole } from "@openledger/foundation/whole-file";

/** Families of models that can be checked here, by the server that has files of their base. */
export type FamiliesOf = (serverUrl: string) => Promise<readonly ModelFamily[]>;

export interface OpenedModel {
  readonly model: CheckableModel;
  readonly recipe: RecipeBase;
}

interface ModelPlace {
  readonly modelId: number;
  readonly serverUrl: string;
  /** Hash of the model's statics, from the ledger. */
  readonly staticsHash: bigint;
}

/** Models that are in memory, some megabytes each; others are read from the disk again. */
const MAX_OPENED = 16;

export class CheckableModels {
  readonly #folder: string;
  readonly #familiesOf: FamiliesOf;
  readonly #opened = new RecentAnswers<number, OpenedModel>({ maxItems: MAX_OPENED });

  constructor(folder: string, familiesOf: FamiliesOf) {
    this.#folder = folder;
    this.#familiesOf = familiesOf;
  }

  /**
   * Opens a model, from the disk or from its server.
   * @throws ATT_SERVER_UNREACHABLE, ATT_MODEL_FILE_INVALID, ATT_RECIPE_INVALID; CLI_ANSWER_WRONG where the ledger has another
   */
  open(place: ModelPlace): Promise<OpenedModel> {
    return this.#opened.get(place.modelId, () => this.#open(place));
  }

  async #open({ serverUrl, staticsHash }: ModelPlace): Promise<OpenedModel> {
    const families = await this.#familiesOf(serverUrl);
    const folder = join(this.#folder, hex32(staticsHash).slice(2));
    const stored = await readStored(folder, families);
    if (stored !== null && stored.staticsHash === staticsHash)
      return { model: await openCheckable(stored), recipe: stored.recipe };
    const files = await fetchFiles(serverUrl, ANSWERING_FILES, families, {});
    const part = decodeAnswering(files, families);
    const model = await openCheckable(part);
    requireRegisteredStatics(model, staticsHash);
    for (const [name, bytes] of files) await writeFileWhole(join(folder, name), bytes);
    return { model, recipe: part.recipe };
  }
}

/** Reads stored files; null where some are missing or damaged: they are fetched again. */
async function readStored(folder: string, families: readonly ModelFamily[]) {
  const names = await readdir(folder).catch(() => []);
  const files: ModelFiles = new Map(
    await Promise.all(
      names.map(async (name) => [name, new Uint8Array(await readFile(join(folder, name)))] as const),
    ),
  );
  try {
    return decodeAnswering(files, families);
  } catch {
    return null;
  }
}
