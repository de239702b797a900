/** Files of a published model from its server. Runs in pages, too. */
import { concatBytes } from "@noble/hashes/utils.js";
import { attributionError } from "../attribution-errors.ts";
import { ANSWERING_FILES, type AnsweringPart, decodeAnswering } from "./answering-part.ts";
import type { ModelFamily, ModelParts } from "./model-family.ts";
import { decodeManifest, invalidFile, MANIFEST, MOST_JSON_BYTES, type ModelFiles } from "./model-manifest.ts";

/** Most bytes of one file that are taken from a server: G and columns of the largest circuits, and a margin. */
const MAX_FILE_BYTES = 2 ** 30;
/** Of all files of a model. */
const MAX_MODEL_BYTES = 2 ** 31;

export interface FetchModelOptions {
  readonly onProgress?: (file: string) => void;
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
  return decodeAnswering(await fetchFiles(serverUrl, [MANIFEST, ...ANSWERING_FILES], options), families);
}

/**
 * Those of the files that the server has. Attack: a packed file that is more than its reader's memory. Behind a manifest
 * each file has as many bytes as it says. @throws ATT_SERVER_UNREACHABLE, ATT_MODEL_FILE_INVALID
 */
export async function fetchFiles(
  serverUrl: string,
  names: readonly string[],
  { maxFileBytes = MAX_FILE_BYTES, onProgress, ...options }: FetchModelOptions,
): Promise<ModelFiles> {
  const files = new Map<string, Uint8Array>();
  let said: Readonly<Record<string, { readonly sizeBytes: number }>> | null = null;
  let room = MAX_MODEL_BYTES;
  for (const name of names) {
    if (said !== null && said[name] === undefined) continue;
    const sizeBytes = name === MANIFEST ? MOST_JSON_BYTES : (said?.[name]?.sizeBytes ?? maxFileBytes);
    room -= sizeBytes;
    if (sizeBytes > maxFileBytes || room < 0) throw invalidFile(name, `has ${sizeBytes} bytes, too many`);
    onProgress?.(name);
    const bytes = await fetchFile(serverUrl, `model/${name}`, { ...options, maxFileBytes: sizeBytes });
    if (bytes !== null) files.set(name, bytes);
    if (name === MANIFEST) said = decodeManifest(files).files;
  }
  return files;
}

/** One file below `/v1/`; null where the server has none. @throws ATT_SERVER_UNREACHABLE */
export function fetchFile(
  serverUrl: string,
  path: string,
  { maxFileBytes = MAX_FILE_BYTES, timeoutMs = 300_000 }: FetchModelOptions,
): Promise<Uint8Array | null> {
  return download(`${serverUrl.replace(/\/+$/, "")}/v1/${path}`, timeoutMs, maxFileBytes);
}

async function download(url: string, timeoutMs: number, maxBytes: number): Promise<Uint8Array | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (response.status === 404) return null;
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    // Counted as they come: a server need not say how many there will be.
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    // Not every browser iterates over a stream.
    const reader = response.body.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const chunk = read.value;
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return concatBytes(...chunks);
  } catch (cause) {
    throw attributionError("ATT_SERVER_UNREACHABLE", `no file from ${url}`, { data: { url }, cause });
  }
}
