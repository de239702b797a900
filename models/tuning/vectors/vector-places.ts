/**
 * Places that have files of word vectors, by which classifiers count texts, and of sentence encoders, by which rows are found: this software, a folder of downloaded ones, and a model's
 * server. Commands, servers and the factory read by it; pages have web/ledger/known-families.ts.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { VectorsFile } from "@openledger/attribution/inputs/model-inputs";
import { type ReadVectors, requireNamed } from "@openledger/attribution/inputs/open-inputs";
import { ENGLISH_VECTORS, GERMAN_VECTORS } from "@openledger/attribution/inputs/released-vectors";
import { readTextVectors } from "@openledger/attribution/inputs/text-vectors";
import { vectorsFileName } from "@openledger/attribution/model/direct/direct-family";
import { fetchFile } from "@openledger/attribution/model/model-download";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import type { EncoderFile } from "../retrieval/row-index.ts";

/** Folder of files that were downloaded or put there by hand, each named by its SHA-256. */
const VECTORS_FOLDER = ".openledger/vectors";

/** Files that come with this software, by their SHA-256. */
const PACKAGED: Readonly<Record<string, string>> = {
  [ENGLISH_VECTORS.sha256]: fileURLToPath(new URL("english-50k-64.bin", import.meta.url)),
  // A package of its own, which has another licence than this software.
  [GERMAN_VECTORS.sha256]: fileURLToPath(new URL("german/german-50k-64.bin", import.meta.url)),
};

/** Path of a file of this software; undefined for any other. */
export const packagedPath = ({ sha256 }: Pick<VectorsFile, "sha256">): string | undefined =>
  Object.hasOwn(PACKAGED, sha256) ? PACKAGED[sha256] : undefined;

interface VectorPlaces {
  /** Server that answers with the model; its files are stored in the folder. */
  readonly serverUrl?: string | undefined;
  /** Default: `VECTORS_FOLDER`. */
  readonly folder?: string;
}

/** Files that a reader holds: a process rarely has models of more. */
const MAX_HELD = 4;

/**
 * Reads from the first place that has the file with this size and SHA-256. Others are passed over, and so are a place that
 * cannot be read and a server that does not answer: the caller says what is missing (ATT_VECTORS_MISSING).
 */
export function readVectorsFrom({ folder = VECTORS_FOLDER, serverUrl }: VectorPlaces = {}): ReadVectors {
  const held = new Map<string, Promise<Uint8Array | null>>();
  const read = async (file: VectorsFile): Promise<Uint8Array | null> => {
    const stored = join(folder, vectorsFileName(file));
    for (const path of [packagedPath(file), stored]) {
      const bytes = path === undefined ? null : await readFile(path).catch(() => null);
      if (bytes !== null && isNamed(bytes, file)) return bytes;
    }
    if (serverUrl === undefined) return null;
    const options = { maxFileBytes: file.sizeBytes };
    const fetched = await fetchFile(serverUrl, `base/${vectorsFileName(file)}`, options).catch(() => null);
    if (fetched === null || !isNamed(fetched, file)) return null;
    // On a disk that takes nothing each process fetches it again.
    await writeFileWhole(stored, fetched).catch(() => undefined);
    return fetched;
  };
  return (file) => {
    const known = held.get(file.sha256);
    if (known !== undefined) return known;
    const reading = read(file).then((bytes) => {
      // A file that is missing now may be there at the next question.
      if (bytes === null) held.delete(file.sha256);
      return bytes;
    });
    reading.catch(() => held.delete(file.sha256));
    held.set(file.sha256, reading);
    for (const oldest of [...held.keys()].slice(0, Math.max(0, held.size - MAX_HELD))) held.delete(oldest);
    return reading;
  };
}

/**
 * Puts a file of token vectors into the folder, by its SHA-256.
 * @returns the file as recipes name it, and its path @throws ATT_VECTORS_INVALID
 */
export async function storeVectors(
  name: string,
  bytes: Uint8Array,
  folder = VECTORS_FOLDER,
): Promise<{ readonly file: VectorsFile; readonly path: string }> {
  const { dimensions } = readTextVectors(bytes);
  const { file, path } = await storeFile({ name, dimensions }, bytes, folder);
  return { file: { ...file, of: "tokens" }, path };
}

/** Puts a sentence encoder's file into the folder, by its SHA-256. @returns the file as recipes name it, and its path */
export async function storeFile(
  named: Pick<EncoderFile, "dimensions" | "name">,
  bytes: Uint8Array,
  folder = VECTORS_FOLDER,
): Promise<{ readonly file: EncoderFile; readonly path: string }> {
  const { dimensions, name } = named;
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const file = { name, sizeBytes: bytes.length, sha256, dimensions };
  const path = join(folder, vectorsFileName(file));
  await writeFileWhole(path, bytes);
  return { file, path };
}

/** True for bytes that are the named file. */
function isNamed(bytes: Uint8Array, file: VectorsFile): boolean {
  try {
    requireNamed(bytes, file);
    return true;
  } catch {
    return false;
  }
}
