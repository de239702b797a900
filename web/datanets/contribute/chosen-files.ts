/**
 * Files that somebody has chosen in the pages: read for the worker, and carried from the form of a new Datanet to its contribute
 * tab, so that nobody chooses them twice.
 */
import { type FileFormat, formatOf, type ImportFile } from "@openledger/datanets/import/import-file";
import { RollupError } from "@openledger/foundation/rollup-error";
import { showBytes } from "../../rows/show-bytes.ts";

/** Maximum bytes of the files together: a browser holds them at ease, and a person looks through them. */
const MAX_FILES_BYTES = 64_000_000;

const carried = new Map<number, readonly File[]>();

/** Keeps files for a Datanet's contribute tab, in this page's memory alone. */
export function carryFiles(datanetId: number, files: readonly File[]): void {
  carried.set(datanetId, files);
}

/** Takes the files that were carried to a Datanet; none the second time. */
export function takeFiles(datanetId: number): readonly File[] {
  const files = carried.get(datanetId) ?? [];
  carried.delete(datanetId);
  return files;
}

/** Format of a file by its ending; null if it does not say. @param isLines whether each line of a text file is a row */
export function chosenFormat(name: string, isLines: boolean): FileFormat | null {
  const format = formatOf(name);
  return format === "whole" && isLines ? "lines" : format;
}

/** Reads files in their formats. @throws SRV_TOO_LARGE */
export async function readChosen(
  files: readonly File[],
  formats: readonly FileFormat[],
): Promise<ImportFile[]> {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > MAX_FILES_BYTES)
    throw new RollupError(
      "SRV_TOO_LARGE",
      `${showBytes(bytes)} is more than this page can read at once: ${showBytes(MAX_FILES_BYTES)}`,
    );
  return Promise.all(
    files.map(async (file, i) => ({
      name: file.webkitRelativePath || file.name,
      format: formats[i]!,
      content: new Uint8Array(await file.arrayBuffer()),
    })),
  );
}
