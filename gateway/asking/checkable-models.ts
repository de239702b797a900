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
import { estimatorOf } from "@openledger/attribution/scores/attribution-estimate";
import {
  decodePaying,
  fetchPaying,
  PAYING_FILES,
  type PayingPart,
} from "@openledger/attribution/scores/paying-part";
import { requireRegisteredStatics } from "@openledger/client/actions/answers/check-answer";
import type { CheckableModel } from "@openledger/client/actions/answers/model-answers";
import { type HostAccess, modelReader } from "@openledger/client/datanets/host-request";
import { processErrors } from "@openledger/foundation/error-table";
import { hex32 } from "@openledger/foundation/hex";
import { RecentAnswers } from "@openledger/foundation/recent-answers";
import { TaskPool } from "@openledger/foundation/threads/task-pool";
import { writeFileWhole } from "@openledger/foundation/whole-file";

/** Families of models that can be checked here, by the server that has files of their base. */
export type FamiliesOf = (serverUrl: string) => Promise<readonly ModelFamily[]>;

export interface OpenedModel {
  readonly model: CheckableModel;
  readonly recipe: RecipeBase;
  readonly family: ModelFamily;
}

interface ModelLocation {
  readonly modelId: number;
  readonly serverUrl: string;
  /** Hash of the model's statics, from the ledger. */
  readonly staticsHash: bigint;
}

/** Models that are in memory, some megabytes each; others are read from the disk again. */
const MAX_OPENED = 16;
/** Maximum numbers of a matrix that is checked here: some 50 s of a thread, once a model. Whom others pay is their server's word. */
export const MAX_ENTRIES = 2 ** 24;
/** Heap of the thread that checks it: the server's columns as numbers, and points of the curve. */
const MAX_HEAP_MB = 1_024;

export class CheckableModels {
  readonly #folder: string;
  readonly #familiesOf: FamiliesOf;
  readonly #reader: HostAccess | undefined;
  readonly #opened = new RecentAnswers<number, OpenedModel>({ maxItems: MAX_OPENED });
  /** Ends by itself, and keeps nobody alive. */
  readonly #threads = new TaskPool<typeof import("./matrix-tasks.ts")>({
    tasks: new URL("./matrix-tasks.ts", import.meta.url),
    threadCount: 1,
    maxHeapMb: MAX_HEAP_MB,
    ended: (cause) =>
      processErrors.raise("SRV_STOPPING", `the thread that checks matrices ended: ${cause.message}`, {
        cause,
      }),
  });

  /** @param reader who asks for files that have permissioned rows; default: nobody */
  constructor(folder: string, familiesOf: FamiliesOf, reader?: HostAccess) {
    this.#folder = folder;
    this.#familiesOf = familiesOf;
    this.#reader = reader;
  }

  /**
   * Opens a model, from the disk or from its server.
   * @throws ATT_SERVER_UNREACHABLE, ATT_MODEL_FILE_INVALID, ATT_RECIPE_INVALID; CLI_ANSWER_WRONG where the ledger has another
   */
  open(location: ModelLocation): Promise<OpenedModel> {
    return this.#opened.get(location.modelId, () => this.#open(location));
  }

  async #open({ serverUrl, staticsHash }: ModelLocation): Promise<OpenedModel> {
    const families = await this.#familiesOf(serverUrl);
    const folder = join(this.#folder, hex32(staticsHash).slice(2));
    const stored = await readStored(folder, families);
    if (stored !== null && stored.part.staticsHash === staticsHash) {
      const paying = stored.paying ?? (await this.#fetchPaying(serverUrl, families, stored.part, folder));
      return opened(stored.part, paying);
    }
    const sign = this.#reader && modelReader(this.#reader, serverUrl);
    const files = await fetchFiles(serverUrl, ANSWERING_FILES, families, { sign });
    const part = decodeAnswering(files, families);
    requireRegisteredStatics(part, staticsHash);
    await write(folder, files);
    return opened(part, await this.#fetchPaying(serverUrl, families, part, folder));
  }

  /** Whom an answer pays is computed here where the server publishes the matrix, which is stored once it is the registered one. */
  async #fetchPaying(
    serverUrl: string,
    families: readonly ModelFamily[],
    part: BoundPart,
    folder: string,
  ): Promise<PayingPart | null> {
    const files = await fetchPaying(serverUrl, families, { maxEntries: MAX_ENTRIES });
    if (files === null) return null;
    const paying = decodePaying(files, part);
    await this.#threads.run("requireCommitted", { ...paying, columns: part.columns });
    await write(folder, new Map(PAYING_FILES.map((name) => [name, files.get(name)!])));
    return paying;
  }
}

type BoundPart = ReturnType<typeof decodeAnswering>;

async function opened(part: BoundPart, paying: PayingPart | null): Promise<OpenedModel> {
  const model = await openCheckable(part, paying === null ? undefined : estimatorOf(paying));
  return { model, recipe: part.recipe, family: part.family };
}

async function write(folder: string, files: ModelFiles): Promise<void> {
  for (const [name, bytes] of files) await writeFileWhole(join(folder, name), bytes);
}

/** Reads stored files; null where some are missing or damaged: they are fetched again. */
async function readStored(folder: string, families: readonly ModelFamily[]) {
  const names = await readdir(folder).catch(() => []);
  const files: ModelFiles = new Map(
    await Promise.all(
      names.map(async (name) => [name, new Uint8Array(await readFile(join(folder, name)))] as const),
    ),
  );
  let part: BoundPart;
  try {
    part = decodeAnswering(files, families);
  } catch {
    return null;
  }
  try {
    return { part, paying: decodePaying(files, part) };
  } catch {
    return { part, paying: null };
  }
}
