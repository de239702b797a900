/**
 * Published models in a folder or behind a server: writes one, reads and checks one. Training jobs and
 * `openledger models train` write here; serving, settling and verification read.
 */
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { attributionError } from "../attribution-errors.ts";
import type { RefuseModel } from "./answering-part.ts";
import { type DirectParts, directFamily } from "./direct/direct-family.ts";
import { type FetchModelOptions, fetchFiles } from "./model-download.ts";
import type { ModelFamily, ModelParts } from "./model-family.ts";
import { FIGURE_FILE } from "./model-figure.ts";
import { decodeModel, encodeModel, type PublishedModel } from "./model-files.ts";
import { MANIFEST, MODEL_FILES, type ModelFiles } from "./model-manifest.ts";

/**
 * Writes a model to a new folder, whole or not at all. Published models do not change: a receipt names their bytes.
 * @throws ATT_MODEL_EXISTS
 */
export async function writeModel(folder: string, model: PublishedModel): Promise<void> {
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  );
  if (isThere) {
    throw attributionError("ATT_MODEL_EXISTS", `${folder} is there already`, { data: { folder } });
  }
  await writeModelFiles(folder, encodeModel(model));
}

/** Writes a model's files to a new folder, whole or not at all: they appear by one rename. */
async function writeModelFiles(folder: string, files: ModelFiles): Promise<void> {
  const part = `${folder}.${threadId}.part`;
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true });
  for (const [name, bytes] of files) await writeFile(join(part, name), bytes);
  await rename(part, folder);
}

/** Reads from a folder the files that a model may have, unchecked, by name. */
export async function readModelFiles(folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of [MANIFEST, ...MODEL_FILES, FIGURE_FILE]) {
    const bytes = await readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    if (bytes !== null) files.set(name, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  }
  return files;
}

/**
 * Reads a model from a folder and checks it as `decodeModel` says.
 * @throws ATT_MODEL_FILE_INVALID, ATT_ROWS_MISMATCH
 */
export async function readModel<Parts extends ModelParts = DirectParts>(
  folder: string,
  families?: readonly ModelFamily<Parts>[],
): Promise<PublishedModel<Parts>> {
  // Statics are hashed.
  await initPoseidon();
  return decodeModel(await readModelFiles(folder), families);
}

/**
 * Reads a model from its server, checked as one from a folder. @throws ATT_SERVER_UNREACHABLE, and the errors of
 * `maxBytesOf`
 */
export async function fetchModel<Parts extends ModelParts = DirectParts>(
  serverUrl: string,
  options: FetchModelOptions = {},
  families: readonly ModelFamily<Parts>[] = [directFamily as never],
  refuse?: RefuseModel<Parts>,
): Promise<PublishedModel<Parts>> {
  return decodeModel(await fetchFiles(serverUrl, MODEL_FILES, families, options, refuse), families);
}
