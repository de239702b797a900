/**
 * Part of a published model from which a customer computes whom an answer pays: the registered matrix and the payees, both bound by
 * the statics that the ledger has. Many models are asked without it, so it is downloaded beside the part that answers.
 */
import type { Payee } from "@openledger/circuits/ledger/rewards";
import type { ColumnCommitments } from "@openledger/circuits/settlement/feature-commitment";
import { shardedFeatures } from "@openledger/circuits/settlement/shards/shard-link";
import { hex32 } from "@openledger/foundation/hex";
import type { RegisteredMatrix } from "../features/direct-rows.ts";
import type { AnsweringPart } from "../model/answering-part.ts";
import { type FetchModelOptions, fetchFiles } from "../model/model-download.ts";
import type { ModelFamily, ModelParts } from "../model/model-family.ts";
import { decodeFeatures, decodePayees, decodeStatics } from "../model/model-files.ts";
import {
  checkedFile,
  decodeManifest,
  invalidFile,
  isAbsent,
  MANIFEST,
  type ModelFiles,
} from "../model/model-manifest.ts";
import { circuitColumns } from "../model/recipe-fields.ts";
import { commitFeatures } from "../model/registration.ts";
import { type AttributionEstimate, estimatorOf } from "./attribution-estimate.ts";

export const PAYING_FILES = ["payees.json", "features.bin"] as const;

export interface PayingPart {
  readonly features: RegisteredMatrix;
  readonly payees: readonly Payee[];
}

type Bound = Pick<AnsweringPart, "recipe" | "columns" | "answeringHash"> & { readonly staticsHash: bigint };

/**
 * Downloads the part's files. Decode them with `decodePaying`, and compare the matrix with its commitments by `requireCommitted`.
 * @param options maxEntries: numbers of the matrix that are not worth more of the caller's time
 * @returns null where the server does not publish them, or the matrix is larger
 * @throws ATT_SERVER_UNREACHABLE, ATT_MODEL_FILE_INVALID
 */
export async function fetchPaying<Parts extends ModelParts>(
  serverUrl: string,
  families: readonly ModelFamily<Parts>[],
  { maxEntries, ...options }: FetchModelOptions & { readonly maxEntries: number },
): Promise<ModelFiles | null> {
  const refuse = (_recipe: object, { columnCount, rowCount }: { columnCount: number; rowCount: number }) => {
    if (rowCount * columnCount > maxEntries) throw new TooLarge();
  };
  try {
    const files = await fetchFiles(serverUrl, ["recipe.json", ...PAYING_FILES], families, options, refuse);
    return PAYING_FILES.every((name) => files.has(name)) ? files : null;
  } catch (error) {
    if (error instanceof TooLarge || isAbsent(error, PAYING_FILES)) return null;
    throw error;
  }
}

/**
 * Downloads the part, compares its matrix with the model's commitments, and gives the function that says whom an answer pays. Needs
 * `initPoseidon`.
 * @returns undefined where `fetchPaying` gives null: then whom an answer pays is the server's word
 * @throws as `fetchPaying`, `decodePaying` and `requireCommitted`
 */
export async function fetchEstimator<Parts extends ModelParts>(
  serverUrl: string,
  families: readonly ModelFamily<Parts>[],
  model: Bound,
  options: FetchModelOptions & { readonly maxEntries: number },
): Promise<((queryBytes: Uint8Array) => AttributionEstimate) | undefined> {
  const files = await fetchPaying(serverUrl, families, options);
  return files === null ? undefined : committedEstimator({ ...model, ...decodePaying(files, model) });
}

/** Function that says whom an answer pays, of a model whose matrix is the registered one. @throws as `requireCommitted` */
export function committedEstimator(
  model: PayingPart & Pick<AnsweringPart, "columns">,
): (queryBytes: Uint8Array) => AttributionEstimate {
  requireCommitted(model, model.columns);
  return estimatorOf(model);
}

class TooLarge extends Error {}

/**
 * Reads the part. Needs `initPoseidon`.
 * @param files the part's own and the manifest
 * @param model part that answers, whose statics hash has been compared with the ledger's
 * @throws ATT_MODEL_FILE_INVALID where the files are another model's
 */
export function decodePaying(
  files: ModelFiles,
  { answeringHash, columns, recipe, staticsHash }: Bound,
): PayingPart {
  const manifest = decodeManifest(files);
  if (manifest.staticsHash !== hex32(staticsHash))
    throw invalidFile(MANIFEST, `has the statics ${manifest.staticsHash}, not ${hex32(staticsHash)}`);
  const payees = decodePayees(checkedFile(files, manifest, "payees.json"), manifest.rowCount, recipe);
  const features = decodeFeatures(checkedFile(files, manifest, "features.bin"), manifest, recipe);
  decodeStatics(manifest, recipe, payees, shardedFeatures(columns, answeringHash, circuitColumns(recipe)));
  return { features, payees };
}

/**
 * Requires that the matrix is the one that the statics commit to: about 3 µs a number that is not 0.
 * @throws ATT_MODEL_FILE_INVALID
 */
export function requireCommitted(part: PayingPart, columns: readonly ColumnCommitments[]): void {
  const own = commitFeatures(part);
  const text = (of: readonly ColumnCommitments[]) => of.map(({ u, v }) => [...u, ...v].join()).join("|");
  if (text(own) !== text(columns))
    throw invalidFile("features.bin", "is not the matrix that the model's commitments on the ledger are to");
}
