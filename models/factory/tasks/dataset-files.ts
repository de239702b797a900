/**
 * Files of data sets and jobs in the folders of tasks: `rows.jsonl` (a JSON line per row), `owners.json` (a contributor and a
 * validator per row, and the place of its Datanet of several), and the names of a job's folders. Tasks read them.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { decodeLine, encodeLine } from "@openledger/attribution/model/published-rows";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { factoryError } from "../../model-errors.ts";

/** Folders of a job's folder. */
export const STATE_FOLDER = "state";
export const ADAPTER_FOLDER = "adapter";
export const MODEL_FOLDER = "model";
export const MERGED_FOLDER = "merged";
export const CLASSIFIER_FOLDER = "classifier";
/** A sorting model for other programs, in its folder. */
export const CLASSIFIER_FILE = "classifier.json";

const ROWS = "rows.jsonl";
const OWNERS = "owners.json";

export const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Writes rows, a line each as in published models. */
export async function writeDatasetRows(folder: string, rows: readonly OwnedRow[]): Promise<void> {
  const owners = rows.map(({ contributorId, datanet = null, validatorId }) => [
    contributorId,
    validatorId,
    datanet,
  ]);
  await writeFileWhole(join(folder, OWNERS), JSON.stringify(owners));
  await writeFileWhole(join(folder, ROWS), Buffer.concat(rows.flatMap((row) => [encodeLine(row), NEWLINE])));
}

/** @throws SRV_STORE_CORRUPT if files are missing or do not fit each other */
export async function readDatasetRows(folder: string): Promise<OwnedRow[]> {
  try {
    const owners = JSON.parse(await readFile(join(folder, OWNERS), "utf8")) as [
      number,
      number,
      number | null,
    ][];
    const lines = splitLines(await readFile(join(folder, ROWS)));
    if (lines.length !== owners.length) throw new Error(`${lines.length} rows of ${owners.length}`);
    return lines.map((line, i) => {
      const row = decodeLine(line);
      if (row === null) throw new Error(`line ${i + 1} has no row`);
      const [contributorId, validatorId, datanet] = owners[i]!;
      return { ...row, contributorId, validatorId, ...(datanet !== null && { datanet }) };
    });
  } catch (cause) {
    throw factoryError("SRV_STORE_CORRUPT", `the rows in ${folder} cannot be read`, {
      data: { folder, reason: (cause as Error).message },
      cause,
    });
  }
}

/** Lines without their breaks. */
function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE[0]!, from);
    const to = found < 0 ? bytes.length : found;
    lines.push(bytes.slice(from, to));
    from = to + 1;
  }
  return lines;
}

const NEWLINE = Uint8Array.of(10);
