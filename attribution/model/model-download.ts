/**
 * Download of a published model's files from its server, each checked against manifest and recipe, within
 * limits of bytes and time. Commands, servers and pages call it.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { inSlices } from "@openledger/foundation/slices";
import { boundedBytes } from "@openledger/foundation/wire/bounded-body";
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
  checkedFileSteps,
  decodeManifest,
  invalidFile,
  MANIFEST,
  MAX_JSON_BYTES,
  type ModelFileName,
  type ModelFiles,
} from "./model-manifest.ts";

/** Maximum bytes of one file that are taken from a server: G and columns of the largest circuits, and a margin. */
const MAX_FILE_BYTES = 2 ** 30;
/** Maximum bytes of all files of a model. */
const MAX_MODEL_BYTES = 2 ** 31;
/** Milliseconds that a server has for all files of a model. */
const DOWNLOAD_TIMEOUT_MS = 300_000;

export interface FetchModelOptions {
  readonly onProgress?: (file: string) => void;
  /** Timeout in milliseconds for all files together. */
  readonly timeoutMs?: number;
  readonly maxFileBytes?: number;
  /** Makes the headers by which a reader of permissioned rows asks for a file that has some. @param path as the server signs it, "/v1/model/…" */
  readonly sign?: ((path: string) => Promise<Readonly<Record<string, string>>>) | undefined;
}

/**
 * Downloads the part with which a customer checks answers, and the hash of the statics that these files belong to.
 * Compare the hash with the ledger's (`checkAnswer` does). Needs `initPoseidon`.
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
 * Downloads the manifest, and those of the files that it names: the recipe first, each checked before the next request.
 * Attack: a packed file that is larger than its reader's memory. Each has exactly the bytes that manifest and recipe
 * name.
 *
 * @param names `recipe.json` is the first
 * @throws ATT_SERVER_UNREACHABLE, ATT_ROW_WITHDRAWN, ATT_MODEL_FILE_INVALID, ATT_MODEL_TOO_LARGE, and the errors of `maxBytesOf`
 */
export async function fetchFiles<Parts extends ModelParts>(
  serverUrl: string,
  names: readonly ModelFileName[],
  families: readonly ModelFamily<Parts>[],
  { maxFileBytes = MAX_FILE_BYTES, onProgress, sign, timeoutMs = DOWNLOAD_TIMEOUT_MS }: FetchModelOptions,
  refuse?: RefuseModel<Parts>,
): Promise<ModelFiles> {
  const files = new Map<string, Uint8Array>();
  const signal = AbortSignal.timeout(timeoutMs);
  const take = async (name: string, sizeBytes: number) => {
    onProgress?.(name);
    const bytes = await download({ serverUrl, path: `model/${name}`, sign }, signal, sizeBytes);
    if (bytes !== null) files.set(name, bytes);
  };
  await take(MANIFEST, MAX_JSON_BYTES);
  const manifest = decodeManifest(files);
  let max: Readonly<Partial<Record<ModelFileName, number>>> = { "recipe.json": MAX_JSON_BYTES };
  let room = MAX_MODEL_BYTES;
  for (const name of names) {
    const entry = manifest.files[name];
    if (entry === undefined) continue;
    const { sizeBytes } = entry;
    const possible = max[name] ?? 0;
    if (sizeBytes > possible)
      throw invalidFile(name, `has ${sizeBytes} bytes, and the recipe allows ${possible}`);
    const maxBytes = Math.min(maxFileBytes, room);
    if (sizeBytes > maxBytes)
      throw attributionError(
        "ATT_MODEL_TOO_LARGE",
        `${name} has ${sizeBytes} bytes, and ${maxBytes} are read here`,
        { data: { file: name, sizeBytes, maxBytes } },
      );
    room -= sizeBytes;
    await take(name, entry.sizeBytes);
    const bytes = await inSlices(checkedFileSteps(files, manifest, name));
    if (name === "recipe.json") max = await maxBytesOf(bytes, manifest, families, refuse);
  }
  return files;
}

/** One file below `/v1/`; null where the server has none, or gives it to others alone. @throws ATT_SERVER_UNREACHABLE, ATT_ROW_WITHDRAWN */
export function fetchFile(
  serverUrl: string,
  path: string,
  { maxFileBytes = MAX_FILE_BYTES, sign, timeoutMs = DOWNLOAD_TIMEOUT_MS }: FetchModelOptions,
): Promise<Uint8Array | null> {
  return download({ serverUrl, path, sign }, AbortSignal.timeout(timeoutMs), maxFileBytes);
}

/** Status of a file that has rows which readers alone get, without a signature. */
const UNSIGNED = 401;
/** Status of a file that has a withdrawn row. */
const WITHDRAWN = 410;

interface ServerFile extends Pick<FetchModelOptions, "sign"> {
  readonly serverUrl: string;
  /** Path below `/v1/`. */
  readonly path: string;
}

async function download(
  { path, serverUrl, sign }: ServerFile,
  signal: AbortSignal,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const url = `${serverUrl.replace(/\/+$/, "")}/v1/${path}`;
  try {
    // Attack: a server's redirect would send the request to any address of the reader's own network.
    let response = await fetch(url, { signal, redirect: "error" });
    if (response.status === UNSIGNED && sign !== undefined) {
      await response.body?.cancel();
      response = await fetch(url, { signal, redirect: "error", headers: await sign(`/v1/${path}`) });
    }
    // Rows of a permissioned Datanet are given by a signed request alone.
    if ([401, 403, 404].includes(response.status)) {
      await response.body?.cancel();
      return null;
    }
    if (response.status === WITHDRAWN) {
      await response.body?.cancel();
      throw attributionError(
        "ATT_ROW_WITHDRAWN",
        `the server gives ${url} no more: it has a row that its contributor has withdrawn`,
        {
          data: { url },
        },
      );
    }
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    return await boundedBytes(response, maxBytes);
  } catch (cause) {
    if (isRollupError(cause, "ATT_ROW_WITHDRAWN")) throw cause;
    throw attributionError("ATT_SERVER_UNREACHABLE", `no file from ${url}`, { data: { url }, cause });
  }
}
