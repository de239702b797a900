/** A committed model from its folder or server, trained again once: that takes minutes, and a model commitment stands for a week. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  ANSWERING_FILES,
  decodeAnswering,
  type RefuseModel,
} from "@openledger/attribution/model/answering-part";
import { directFamily } from "@openledger/attribution/model/direct/direct-family";
import { directTraining } from "@openledger/attribution/model/direct/direct-training";
import { fetchModel, readModel, readModelFiles } from "@openledger/attribution/model/model-directory";
import { DOWNLOAD_TIMEOUT_MS, fetchFile, fetchFiles } from "@openledger/attribution/model/model-download";
import type { FamilyTraining, ModelFamily } from "@openledger/attribution/model/model-family";
import { encodeModel, type PublishedModel } from "@openledger/attribution/model/model-files";
import { invalidFile, LEAF_FILE, MANIFEST } from "@openledger/attribution/model/model-manifest";
import { MOST_CHALLENGED_ROWS } from "@openledger/attribution/model/recipe-fields";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { modelFamilies, textSetting } from "@openledger/models/registered/model-families";
import type { TextRecipe } from "@openledger/models/registered/text-recipe";
import type { Verdict } from "../challenger-state.ts";
import { requireClaimable } from "../games/claims/claimable.ts";
import { trainingsWithPromises } from "../games/rows/traced-recipe.ts";
import type { PublishedFiles } from "../model-commitments/examine-model-commitment.ts";
import type { ModelCommitment } from "../model-commitments/read-model-commitments.ts";
import { mostLeafFileBytes } from "../statements/known-leaves.ts";
import { postedHash } from "../statements/model-commitment-calls.ts";
import { promisesModelCommitment } from "./disputes-contracts.ts";

/** Where models' published files are. */
export interface ModelPlaces {
  /** Folder of one published model, instead of its server. */
  readonly model?: string | undefined;
  /** Folder of published models, each in a folder named by its id. */
  readonly models?: string | undefined;
  /** Folder or address of a language model's base, beside the base of this software. */
  readonly base?: string | undefined;
  /** Address of a model's server; null where none is known. */
  readonly serverOf?: (modelId: number) => string | null;
}

/** Where one of them is: its folder, else its server; null for neither. */
export type ModelPlace = { readonly folder: string } | { readonly url: string } | null;

export function placeOf({ model, models, serverOf }: ModelPlaces, modelId: number): ModelPlace {
  const folder = models === undefined ? model : join(models, String(modelId));
  // Where a folder of many lacks it, its server may have it.
  if (folder !== undefined && (folder === model || existsSync(folder))) return { folder };
  const url = serverOf?.(modelId) ?? null;
  return url === null ? null : { url };
}

/** null where its server does not answer. @throws what its files are refused for */
async function readPlaced(
  place: NonNullable<ModelPlace>,
  families: readonly ModelFamily[],
  base: string | undefined,
): Promise<PublishedModel | null> {
  const requireRecomputed: RefuseModel = async (recipe, manifest) => {
    await requirePostable(recipe, manifest);
    if (recipe.family === "text") await requireTraceable(recipe as object as TextRecipe, base);
  };
  if ("folder" in place) return (await readModel(place.folder, families)) as unknown as PublishedModel;
  return orNull(fetchModel(place.url, {}, families, requireRecomputed) as unknown as Promise<PublishedModel>);
}

/** Attack: a model commitment's number over a model of more rows than any can have. */
const requirePostable: RefuseModel = (_, { rowCount }) => {
  if (rowCount > MOST_CHALLENGED_ROWS)
    throw invalidFile(
      MANIFEST,
      `has ${rowCount} rows, and a model commitment ${MOST_CHALLENGED_ROWS} at most`,
    );
};

/** Why claims of the longest texts have no room, and whether it is that nobody can hold a trace; null where all is well. */
export async function faultOfClaims(recipe: TextRecipe, base: string | undefined) {
  try {
    await requireClaimable(recipe, await textSetting({ base }));
    return null;
  } catch (error) {
    if (!isRollupError(error, "MOD_CLAIMS_TOO_LARGE")) throw error;
    const { reason } = error.data as { reason?: unknown };
    return { error, message: error.message, isTooLarge: reason === "trace-size" };
  }
}

/** Attack: a model whose trace takes more memory than whoever recomputes it has. @throws MOD_CLAIMS_TOO_LARGE */
async function requireTraceable(recipe: TextRecipe, base: string | undefined): Promise<void> {
  const fault = await faultOfClaims(recipe, base);
  if (fault?.isTooLarge === true) throw fault.error;
}

/**
 * The same of what answers, and its files: rows and G of a stranger's model take memory, and no game needs them.
 * @param refuse a server's model, once its recipe is there
 */
export async function answeringOf(
  place: NonNullable<ModelPlace>,
  families: readonly ModelFamily[],
  refuse: RefuseModel,
) {
  const all =
    "url" in place
      ? await orNull(fetchFiles(place.url, ANSWERING_FILES, families, {}, refuse))
      : await readModelFiles(place.folder);
  const files = all && answeringOnly(all);
  return files && { files, model: decodeAnswering(files, families) };
}

export function answeringOnly(all: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  const names: readonly string[] = [MANIFEST, ...ANSWERING_FILES];
  return new Map([...all].filter(([name]) => names.includes(name)));
}

async function orNull<Files>(files: Promise<Files>): Promise<Files | null> {
  try {
    return await files;
  } catch (error) {
    if (isRollupError(error, "ATT_SERVER_UNREACHABLE")) return null;
    throw error;
  }
}

/**
 * null where it is not to be had, or is of another kind.
 * @param known what was found of the statement before
 * @param keep of what a server gives, before anything else is asked of it
 */
export async function publishedFiles(
  { family, statement }: Pick<ModelCommitment, "family" | "statement">,
  place: ModelPlace,
  base: string | undefined,
  known: Verdict | null,
  keep: (model: PublishedModel) => Promise<void> = async () => {},
): Promise<PublishedFiles | null> {
  if (place === null) return null;
  const { families, trainings } = await rulesOf(family, base);
  const endsAtMs = Date.now() + DOWNLOAD_TIMEOUT_MS;
  const model = await readPlaced(place, families, base);
  if (model === null || model.rows === null || !promisesModelCommitment(model)) return null;
  if ("url" in place) await keep(model);
  const leaves =
    "folder" in place
      ? await readFile(join(place.folder, LEAF_FILE)).catch(() => null)
      : await fetchFile(place.url, `model/${LEAF_FILE}`, {
          maxFileBytes: mostLeafFileBytes(statement, family ?? "direct"),
          timeoutMs: Math.max(0, endsAtMs - Date.now()),
        });
  const judged = judgedFiles(known, statement, { model, leaves }, () =>
    verifyModel({
      model,
      facts: { staticsHash: statement.staticsHash, rowsRoot: statement.rowsRoot },
      depth: "train",
      trainings,
    }),
  );
  return { model, rows: model.rows, leaves, ...judged };
}

/** How models of a kind are read, and trained again. Language models take more code than all others. */
async function rulesOf(
  family: ModelCommitment["family"],
  base: string | undefined,
): Promise<{ families: readonly ModelFamily[]; trainings: readonly FamilyTraining[] }> {
  if (family !== "text")
    return {
      families: [directFamily] as readonly object[] as readonly ModelFamily[],
      trainings: [directTraining as object as FamilyTraining],
    };
  return { families: await modelFamilies({ base }), trainings: await trainingsWithPromises({ base }) };
}

/**
 * Files that were served for one statement, and trained again. Attack: an owner who changes a byte of the files for every
 * look. What was found of the last ones counts then.
 */
const MOST_OF_ONE = 4;

/**
 * What `verifyModel` throws of the files, whoever asks and whenever. Anything else may be the watcher's own failure (memory,
 * disk, network): nothing is known then.
 */
const JUDGEMENTS: ReadonlySet<string> = new Set([
  ...["ATT_MODEL_MISMATCH", "ATT_MODEL_FILE_INVALID", "ATT_RECIPE_INVALID"],
  ...["ATT_ROWS_MISMATCH", "ATT_ROW_INVALID", "ATT_TOO_FEW_ROWS", "ATT_DUPLICATE_ROW"],
  ...["ATT_BEYOND_CIRCUIT", "ATT_NOT_DISPUTABLE", "ATT_INPUT_INVALID"],
  ...["MOD_CLAIMS_TOO_LARGE", "MOD_ROWS_NOT_POSTABLE"],
]);

/**
 * How the model differs from what its recipe makes of the rows, and where these files of this statement were not trained again
 * before, what does it. Where verifying fails of itself, it says so, keeps nothing, and the next look tries again.
 * @param verify what it throws is told from a judgement by its code
 */
export function judgedFiles(
  known: Verdict | null,
  statement: ModelCommitment["statement"],
  { leaves, model }: Pick<PublishedFiles, "model" | "leaves">,
  verify: () => Promise<unknown>,
): Pick<PublishedFiles, "mismatch" | "verdict" | "train"> {
  const modelHash = hashOf(encodeModel(model));
  const filesHash = hashOf(
    new Map([
      ["model", Buffer.from(modelHash)],
      ["leaves", leaves ?? new Uint8Array()],
    ]),
  );
  const hashes = { postedHash: postedHash(statement), modelHash, filesHash };
  const judged = (mismatch: string | null, count: number, isTrained: boolean) => ({
    mismatch,
    verdict: { ...hashes, mismatch, count, isTrained },
  });
  const count = known?.count ?? 0;
  if (known?.isTrained === true && (known.modelHash === modelHash || count >= MOST_OF_ONE))
    return judged(known.mismatch, count, true);
  const train = async () => {
    try {
      await verify();
      return judged(null, count + 1, true);
    } catch (error) {
      const { message } = error instanceof Error ? error : new Error(String(error));
      const isJudgement = isRollupError(error) && !error.isRetryable && JUDGEMENTS.has(error.code);
      if (isJudgement) return judged(message, count + 1, true);
      return { mismatch: `not recomputed, the next look tries again: ${message}`, verdict: null };
    }
  };
  return { ...judged(null, count, false), train };
}

function hashOf(parts: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash("sha256");
  for (const [name, bytes] of parts) hash.update(`${name}\n${bytes.length}\n`).update(bytes);
  return hash.digest("hex");
}
