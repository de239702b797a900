/**
 * Files that somebody has chosen in the pages: read for the worker, and carried from the form of a new Datanet to its contribute
 * tab, so that nobody chooses them twice.
 */
import type { Choices } from "@openledger/datanets/import/decision";
import { type FileFormat, formatOf, type ImportFile } from "@openledger/datanets/import/import-file";
import { RollupError } from "@openledger/foundation/rollup-error";
import { showBytes } from "../../rows/show-bytes.ts";

/** Maximum bytes of the files together: a browser holds them at ease, and a person looks through them. */
const MAX_FILES_BYTES = 64_000_000;

/** Files with the readings that their owner has chosen. */
export interface ChosenFiles {
  readonly files: readonly File[];
  readonly choices: Choices;
}
const NO_FILES: ChosenFiles = { files: [], choices: {} };

const carried = new Map<number, ChosenFiles>();

/** Keeps files for a Datanet's contribute tab, in this page's memory alone. */
export function carryFiles(datanetId: number, chosen: ChosenFiles): void {
  carried.set(datanetId, chosen);
}

/** Takes the files that were carried to a Datanet; none the second time. */
export function takeFiles(datanetId: number): ChosenFiles {
  const chosen = carried.get(datanetId) ?? NO_FILES;
  carried.delete(datanetId);
  return chosen;
}

/**
 * Reads files for the worker.
 * @param format of files whose ending does not say it
 * @throws SRV_TOO_LARGE
 */
export async function readChosen(files: readonly File[], format?: FileFormat): Promise<ImportFile[]> {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > MAX_FILES_BYTES)
    throw new RollupError(
      "SRV_TOO_LARGE",
      `${showBytes(bytes)} is more than this page can read at once: ${showBytes(MAX_FILES_BYTES)}`,
    );
  return Promise.all(
    files.map(async (file) => ({
      name: file.webkitRelativePath || file.name,
      // What an ending says is left to the reader, which asks where it says too little.
      ...(format !== undefined && formatOf(file.name) === null ? { format } : {}),
      content: new Uint8Array(await file.arrayBuffer()),
    })),
  );
}
