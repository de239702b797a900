/**
 * The proof of a settlement on disk, so that a restart between proving and sending does not prove again. It needs no record of
 * whose it is: it counts only for the settlement whose hash, data and circuit it names. auto-settle.ts reads it before it
 * proves.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { encodeEntries, type SettlementData } from "@openledger/circuits/settlement/settlement-data";
import type { SettlementBody } from "@openledger/client/actions/l1/send-settlement";
import { hex32 } from "@openledger/foundation/hex";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { toHex } from "viem";

const pathOf = (folder: string, { modelId, epoch }: { modelId: number; epoch: bigint | number }) =>
  join(folder, `settlement-${modelId}-${epoch}.json`);

/**
 * The kept proof of exactly this settlement, or null. It is a cache: what is in it counts only where it is what the
 * ledger and L1 make of the epoch now, and the sequencer verifies it again.
 */
export async function readProof(
  folder: string,
  data: SettlementData,
  circuit: string,
): Promise<SettlementBody | null> {
  let body: Partial<SettlementBody> | null;
  try {
    body = JSON.parse(await readFile(pathOf(folder, data), "utf8")) as Partial<SettlementBody> | null;
  } catch {
    return null;
  }
  const isSame =
    body?.settlementHash === hex32(data.settlementHash) &&
    body.modelId === data.modelId &&
    [body, ...(body.further ?? [])].map((entry) => entry.data).join() ===
      encodeEntries(data)
        .map((wire) => toHex(wire))
        .join() &&
    body.circuit === circuit;
  return isSame ? (body as SettlementBody) : null;
}

export function keepProof(folder: string, data: SettlementData, body: SettlementBody): Promise<void> {
  return writeFileWhole(pathOf(folder, data), `${JSON.stringify(body)}\n`);
}

export function dropProof(folder: string, what: { modelId: number; epoch: bigint | number }): Promise<void> {
  return rm(pathOf(folder, what), { force: true });
}
