/**
 * The receipts that this machine's operations got, one file each: what shows a lying sequencer. A receipt that was
 * signed anew for the same place and operation is written over; one for another operation gets a file of its own.
 */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Address } from "viem";
import type { KeptReceipt } from "../../client/sequencer/kept-receipt.ts";
import { workspaceDir, writeFileWhole } from "./workspace.ts";

export function receiptsFolder(rollupAddress: Address): string {
  return join(workspaceDir, "receipts", rollupAddress.toLowerCase());
}

/** Before the command goes on, so that whoever has been promised something can show it. */
export async function storeReceipt(kept: KeptReceipt): Promise<void> {
  const { opIndex, operationHash } = kept.receipt;
  const name = `${String(opIndex).padStart(12, "0")}-${operationHash.slice(2, 18)}.json`;
  await writeFileWhole(join(receiptsFolder(kept.rollupAddress), name), `${JSON.stringify(kept, null, 2)}\n`);
}

/** Paths of the stored receipts, in the order of the operations. */
export async function storedReceiptPaths(rollupAddress: Address): Promise<string[]> {
  const folder = receiptsFolder(rollupAddress);
  await mkdir(folder, { recursive: true });
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => join(folder, name));
}

export async function readReceiptFile(path: string): Promise<string> {
  return readFile(path, "utf8");
}
