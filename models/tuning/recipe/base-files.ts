/**
 * Finds the files of the base model that a recipe names by SHA-256, in any place that has the same bytes. Training, answering
 * and verification read bases by it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { fetchFile } from "@openledger/attribution/model/model-download";
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import type { ModelShape } from "../../engine/architecture/model-shape.ts";
import { type FileSource, readWhole, unreadable } from "../../engine/files/byte-source.ts";
import { memorySource } from "../../engine/files/memory-source.ts";
import { parseModelConfig } from "../../engine/files/model-config.ts";
import { TEMPLATE_FILE } from "../../engine/tokens/text-marks.ts";
import { modelError } from "../../model-errors.ts";

/** All files together: they are held in memory while they are read. */
export const MAX_BASE_BYTES = 4 * 2 ** 30;
const INDEX_FILE = "model.safetensors.index.json";
/** Files that tell how texts end. They lie beside a base, and do not affect a recipe that is written. */
export const MARK_FILES = ["generation_config.json"] as const;
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,200}$/;

export const baseSchema = z.strictObject({
  /** Name for people; nothing depends on it. */
  name: z.string().min(1).max(200),
  /** Files by name: config.json, weights, and a tokenizer if tokens are not bytes. */
  files: z.record(
    z.string().regex(FILE_NAME),
    z.strictObject({
      sizeBytes: z.number().int().positive().max(MAX_BASE_BYTES),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});
export type RecipeBaseModel = z.infer<typeof baseSchema>;

/** Reads a base's file; null if this place does not have it. The caller checks the bytes. */
export type ReadBaseFile = (file: string, base: RecipeBaseModel) => Promise<Uint8Array | null>;

/**
 * The files of a base that a recipe names, as far as there are: shards by the index.
 * @throws RollupError MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE
 */
export async function baseFileNames(source: FileSource): Promise<string[]> {
  const index = await readWhole(source, INDEX_FILE, MAX_BASE_BYTES);
  const shards = index === null ? [] : shardsOf(index);
  return [
    ...[
      "config.json",
      "tokenizer.json",
      "tokenizer_config.json",
      TEMPLATE_FILE,
      INDEX_FILE,
      "model.safetensors",
      "model.gguf",
    ],
    ...shards,
  ];
}

/** Maximum bytes that the platform hashes at once. */
const MAX_DIGEST_BYTES = 2 ** 31 - 1;

/** SHA-256 as hex: by the platform, many times as fast, where the page or process has it and the file is not too large for it. */
async function digestOf(bytes: Uint8Array): Promise<string> {
  // Pages have it in a secure context alone.
  const { subtle } = globalThis.crypto as Partial<typeof globalThis.crypto>;
  if (subtle === undefined || bytes.length > MAX_DIGEST_BYTES) return bytesToHex(sha256(bytes));
  return bytesToHex(new Uint8Array(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)));
}

/** A base as a recipe names it, from its folder or address. @throws RollupError MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE */
export async function describeBase(source: FileSource, name: string): Promise<RecipeBaseModel> {
  const files: RecipeBaseModel["files"] = {};
  for (const file of await baseFileNames(source)) {
    const bytes = await readWhole(source, file, MAX_BASE_BYTES);
    if (bytes !== null) files[file] = { sizeBytes: bytes.length, sha256: await digestOf(bytes) };
  }
  if (files["config.json"] === undefined) throw unreadable(source.name, "there is no config.json");
  return { name, files };
}

/** Reads a folder's or an address's files. */
export function readFrom(source: FileSource): ReadBaseFile {
  return (file) => readWhole(source, file, MAX_BASE_BYTES);
}

/** Reads from a model's server, which has the files that it answers with. */
export function readFromServer(serverUrl: string): ReadBaseFile {
  return (file, { files }) =>
    fetchFile(serverUrl, `base/${file}`, { maxFileBytes: files[file]?.sizeBytes ?? MAX_BASE_BYTES });
}

/**
 * A file of the base with the SHA-256 that the recipe names, from the first place that has it so; null for a name that
 * the recipe does not have.
 * @throws RollupError MOD_BASE_MISSING with what each place said
 */
export async function readBaseFile(
  base: RecipeBaseModel,
  file: string,
  offsets: readonly ReadBaseFile[],
): Promise<Uint8Array | null> {
  const entry = Object.hasOwn(base.files, file) ? base.files[file] : undefined;
  if (entry === undefined) return null;
  const refusals: string[] = [];
  for (const read of offsets) {
    const bytes = await read(file, base).catch((error: Error) => {
      refusals.push(error.message);
      return null;
    });
    if (bytes === null) continue;
    if (bytes.length === entry.sizeBytes && (await digestOf(bytes)) === entry.sha256) return bytes;
    refusals.push(`${bytes.length} other bytes`);
  }
  throw modelError(
    "MOD_BASE_MISSING",
    `the base model ${base.name}: no ${file} with SHA-256 ${entry.sha256.slice(0, 16)}… was found`,
    { data: { base: base.name, file, sha256: entry.sha256, said: refusals } },
  );
}

/**
 * Reads the shape of a base from config.json alone.
 * @throws RollupError MOD_BASE_MISSING, MOD_FILE_INVALID,
 * MOD_CONFIG_UNSUPPORTED
 */
export async function shapeOfBase(
  base: RecipeBaseModel,
  offsets: readonly ReadBaseFile[],
): Promise<ModelShape> {
  const config = await readBaseFile(base, "config.json", offsets);
  if (config === null) throw unreadable(base.name, "there is no config.json");
  return parseModelConfig(config);
}

/** All files of the base, in memory. @throws RollupError MOD_BASE_MISSING */
export async function openBase(base: RecipeBaseModel, offsets: readonly ReadBaseFile[]): Promise<FileSource> {
  const files = new Map<string, Uint8Array>();
  for (const file of Object.keys(base.files)) files.set(file, (await readBaseFile(base, file, offsets))!);
  return memorySource(base.name, files);
}

function shardsOf(index: Uint8Array): string[] {
  const { weight_map: map } = JSON.parse(textOfBytes(index)) as { weight_map?: object };
  return [...new Set<unknown>(Object.values(map ?? {}))].filter(
    (name): name is string => typeof name === "string" && FILE_NAME.test(name),
  );
}
