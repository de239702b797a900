/**
 * Store of the preconfirmations (the sequencer's signed promises) that this machine's commands got, one file each, as evidence
 * if the sequencer breaks one. A preconfirmation that was signed again for the same place and operation is written over; one
 * for another operation gets a file of its own.
 */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PreconfirmationRecord } from "@openledger/client/sequencer/preconfirmation-record";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import type { Address } from "viem";
import { workspaceDir } from "./workspace.ts";

export function preconfirmationsFolder(rollupAddress: Address): string {
  return join(workspaceDir(), "preconfirmations", rollupAddress.toLowerCase());
}

/** Stores a preconfirmation before the command continues, so that its holder can show the promise. */
export async function storePreconfirmation(record: PreconfirmationRecord): Promise<void> {
  const { opIndex, operationHash } = record.preconfirmation;
  const name = `${String(opIndex).padStart(12, "0")}-${operationHash.slice(2, 18)}.json`;
  await writeFileWhole(
    join(preconfirmationsFolder(record.rollupAddress), name),
    `${JSON.stringify(record, null, 2)}\n`,
  );
}

/** Paths of the stored preconfirmations, in the order of the operations. */
export async function storedPreconfirmationPaths(rollupAddress: Address): Promise<string[]> {
  const folder = preconfirmationsFolder(rollupAddress);
  await mkdir(folder, { recursive: true });
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => join(folder, name));
}

export async function readPreconfirmationFile(path: string): Promise<string> {
  return readFile(path, "utf8");
}
