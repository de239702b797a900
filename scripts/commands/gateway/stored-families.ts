/**
 * Kinds of models that a gateway checks, with the files of their bases and their word vectors: fetched from a model's server once,
 * and stored by their SHA-256.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { directFamilyOf } from "@openledger/attribution/model/direct/direct-family";
import type { ModelFamily } from "@openledger/attribution/model/model-family";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { type ReadBaseFile, readFromServer } from "@openledger/models/tuning/recipe/base-files";
import { textSetting } from "@openledger/models/tuning/recipe/model-families";
import { textFamily } from "@openledger/models/tuning/recipe/text-family";
import { readVectorsFrom } from "@openledger/models/tuning/vectors/vector-places";

const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Reads a base's file from the folder, else by `read`, whose bytes are stored if they are those that the recipe names. */
export function storedIn(folder: string, read: ReadBaseFile): ReadBaseFile {
  return async (file, base) => {
    const entry = base.files[file];
    if (entry === undefined) return null;
    const path = join(folder, entry.sha256);
    const stored = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    if (stored !== null && stored.length === entry.sizeBytes) return new Uint8Array(stored);
    const bytes = await read(file, base);
    if (bytes !== null && digestOf(bytes) === entry.sha256) await writeFileWhole(path, bytes);
    return bytes;
  };
}

/** Families by the server that has a model's base. @param base folder or URL of a base, before those */
export function storedFamilies(folder: string, base: string | undefined) {
  return async (serverUrl: string): Promise<readonly ModelFamily[]> => {
    const setting = await textSetting({ base });
    const bases = [...setting.bases, storedIn(folder, readFromServer(serverUrl))];
    const readVectors = readVectorsFrom({ folder, serverUrl });
    const direct = directFamilyOf(readVectors);
    const text = textFamily({ ...setting, bases, readEncoder: readVectors });
    return [direct as unknown as ModelFamily, text as ModelFamily];
  };
}
