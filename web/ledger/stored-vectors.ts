/**
 * Files of word vectors in a page: fetched from a model's server once, and stored by the browser under their SHA-256 for all models that
 * name them.
 */
import { type ReadVectors, requireNamed } from "@openledger/attribution/inputs/open-inputs";
import { vectorsFileName } from "@openledger/attribution/model/direct/direct-family";
import { fetchFile } from "@openledger/attribution/model/model-download";

const CACHE = "openledger-vectors";

/** Reads a file from the browser's cache, else from the server, whose bytes are stored if they are those that the recipe names. */
export function readStoredVectors(serverUrl: string): ReadVectors {
  return async (file) => {
    // Pages have a cache in a secure context alone, and it may be full or forbidden: then each load of the page fetches the file.
    const cache = await globalThis.caches?.open(CACHE).catch(() => null);
    const key = `/${vectorsFileName(file)}`;
    const stored = await cache?.match(key).catch(() => undefined);
    if (stored !== undefined) return new Uint8Array(await stored.arrayBuffer());
    const bytes = await fetchFile(serverUrl, `base/${vectorsFileName(file)}`, {
      maxFileBytes: file.sizeBytes,
    });
    if (bytes === null) return null;
    requireNamed(bytes, file);
    await cache?.put(key, new Response(bytes as Uint8Array<ArrayBuffer>)).catch(() => undefined);
    return bytes;
  };
}
