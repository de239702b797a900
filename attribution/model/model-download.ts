/** Files of a published model from its server. Runs in pages, too. */
import { attributionError } from "../attribution-errors.ts";
import {
  ANSWERING_FILES,
  type AnsweringPart,
  decodeAnswering,
  maxBytesOf,
  type RefuseModel,
} from "./answering-part.ts";
import type { ModelFamily, ModelParts } from "./model-family.ts";
import {
  checkedFile,
  decodeManifest,
  invalidFile,
  MANIFEST,
  MAX_JSON_BYTES,
  type ModelFileName,
  type ModelFiles,
} from "./model-manifest.ts";

/** Maximum bytes of one file that are taken from a server: G and columns of the largest circuits, and a margin. */
const MAX_FILE_BYTES = 2 ** 30;
/** Of all files of a model. */
const MAX_MODEL_BYTES = 2 ** 31;
/** A server has so long for all files of a model. */
const DOWNLOAD_TIMEOUT_MS = 300_000;

export interface FetchModelOptions {
  readonly onProgress?: (file: string) => void;
  /** Of all files together. */
  readonly timeoutMs?: number;
  readonly maxFileBytes?: number;
}

/**
 * What a customer checks answers with, and the hash of the statics that these files belong to: to be compared with the
 * ledger's (`checkAnswer` does). Needs `initPoseidon`.
 * @throws ATT_SERVER_UNREACHABLE, ATT_MODEL_FILE_INVALID, ATT_RECIPE_INVALID
 */
export async function fetchAnswering<Parts extends ModelParts>(
  serverUrl: string,
  families: readonly ModelFamily<Parts>[],
  options: FetchModelOptions = {},
): Promise<AnsweringPart<Parts> & { readonly staticsHash: bigint }> {
  return decodeAnswering(await fetchFiles(serverUrl, ANSWERING_FILES, families, options), families);
}

/**
 * The manifest, and those of the files that it names: the recipe first, each checked before the next is asked for.
 * Attack: a packed file that is more than its reader's memory. Each has as many bytes as manifest and recipe say.
 *
 * @param names `recipe.json` is the first
 * @throws ATT_SERVER_UNREACHABLE, ATT_MODEL_FILE_INVALID, and what `maxBytesOf` throws
 */
export async function fetchFiles<Parts extends ModelParts>(
  serverUrl: string,
  names: readonly ModelFileName[],
  families: readonly ModelFamily<Parts>[],
  { maxFileBytes = MAX_FILE_BYTES, onProgress, timeoutMs = DOWNLOAD_TIMEOUT_MS }: FetchModelOptions,
  refuse?: RefuseModel<Parts>,
): Promise<ModelFiles> {
  const files = new Map<string, Uint8Array>();
  const signal = AbortSignal.timeout(timeoutMs);
  const take = async (name: string, sizeBytes: number) => {
    onProgress?.(name);
    const bytes = await download(addressOf(serverUrl, `model/${name}`), signal, sizeBytes);
    if (bytes !== null) files.set(name, bytes);
  };
  await take(MANIFEST, MAX_JSON_BYTES);
  const manifest = decodeManifest(files);
  let max: Readonly<Partial<Record<ModelFileName, number>>> = { "recipe.json": MAX_JSON_BYTES };
  let room = MAX_MODEL_BYTES;
  for (const name of names) {
    const said = manifest.files[name];
    if (said === undefined) continue;
    room -= said.sizeBytes;
    if (said.sizeBytes > Math.min(maxFileBytes, max[name] ?? 0) || room < 0)
      throw invalidFile(name, `has ${said.sizeBytes} bytes, too many`);
    await take(name, said.sizeBytes);
    const bytes = checkedFile(files, manifest, name);
    if (name === "recipe.json") max = await maxBytesOf(bytes, manifest, families, refuse);
  }
  return files;
}

/** One file below `/v1/`; null where the server has none. @throws ATT_SERVER_UNREACHABLE */
export function fetchFile(
  serverUrl: string,
  path: string,
  { maxFileBytes = MAX_FILE_BYTES, timeoutMs = DOWNLOAD_TIMEOUT_MS }: FetchModelOptions,
): Promise<Uint8Array | null> {
  return download(addressOf(serverUrl, path), AbortSignal.timeout(timeoutMs), maxFileBytes);
}

const addressOf = (serverUrl: string, path: string) => `${serverUrl.replace(/\/+$/, "")}/v1/${path}`;

async function download(url: string, signal: AbortSignal, maxBytes: number): Promise<Uint8Array | null> {
  try {
    const response = await fetch(url, { signal });
    if (response.status === 404) {
      await response.body?.cancel();
      return null;
    }
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    // Not every browser iterates over a stream.
    const reader = response.body.getReader();
    try {
      return await readAll(reader, maxBytes);
    } finally {
      // Of what came too much, nothing more is taken.
      reader.cancel().catch(() => {});
    }
  } catch (cause) {
    throw attributionError("ATT_SERVER_UNREACHABLE", `no file from ${url}`, { data: { url }, cause });
  }
}

/** Counted as they come: a server need not say how many there will be. Pages without bytes take no memory yet. */
async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(maxBytes);
  let sizeBytes = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    if (sizeBytes + read.value.length > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
    bytes.set(read.value, sizeBytes);
    sizeBytes += read.value.length;
  }
  return bytes.subarray(0, sizeBytes);
}
