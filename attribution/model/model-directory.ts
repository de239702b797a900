import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { attributionError } from "../attribution-errors.ts";
import { decodeModel, encodeModel, MANIFEST, MODEL_FILES, type PublishedModel } from "./model-files.ts";

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
  const part = `${folder}.part`;
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true });
  for (const [name, bytes] of encodeModel(model)) await writeFile(join(part, name), bytes);
  await rename(part, folder);
}

/** The files of a folder that a model may have. */
export async function readModelFiles(folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of [MANIFEST, ...MODEL_FILES]) {
    const bytes = await readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    if (bytes !== null) files.set(name, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  }
  return files;
}

/** A model from a folder, checked as `decodeModel` says. @throws ATT_MODEL_FILE_INVALID, ATT_ROWS_MISMATCH */
export async function readModel(folder: string): Promise<PublishedModel> {
  return decodeModel(await readModelFiles(folder));
}

/** Most bytes of one file that are taken from a server: G and columns of the largest circuits, and a margin. */
const MAX_FILE_BYTES = 2 ** 30;

/** A model from its server, checked as one from a folder. @throws ATT_SERVER_UNREACHABLE, ATT_MODEL_FILE_INVALID */
export async function fetchModel(
  serverUrl: string,
  options: { onProgress?: (file: string) => void; timeoutMs?: number; maxFileBytes?: number } = {},
): Promise<PublishedModel> {
  const files = new Map<string, Uint8Array>();
  for (const name of [MANIFEST, ...MODEL_FILES]) {
    options.onProgress?.(name);
    const url = `${serverUrl.replace(/\/+$/, "")}/v1/model/${name}`;
    const bytes = await download(url, options.timeoutMs ?? 300_000, options.maxFileBytes ?? MAX_FILE_BYTES);
    if (bytes !== null) files.set(name, bytes);
  }
  return decodeModel(files);
}

/** null for a file that the server does not have. */
async function download(url: string, timeoutMs: number, maxBytes: number): Promise<Uint8Array | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (response.status === 404) return null;
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    // Counted as they come: a server need not say how many there will be.
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of response.body) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return new Uint8Array(Buffer.concat(chunks));
  } catch (cause) {
    throw attributionError("ATT_SERVER_UNREACHABLE", `no file from ${url}`, { data: { url }, cause });
  }
}
