/**
 * Which epoch of the lease a data directory goes by, and where it is. `openledger operator lease take` and `take-over`
 * write it. Attack: a directory that is copied, with the epoch in it, and started beside the first one: two machines
 * promise under one lease. So the epoch holds for the place where it was taken: for the file LEASE-PLACE, which no copy
 * has again with the same inode and time of birth, and for this machine.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sequencerError } from "../sequencer-errors.ts";
import type { LedgerLog } from "./ledger-log.ts";
import { storeKeys } from "./store-keys.ts";

interface LeasePlace {
  readonly inode: string;
  /** 0 on a file system that does not say it. */
  readonly bornAtNs: string;
  /** /etc/machine-id; null where there is none, as in many containers: then nothing is said of the machine. */
  readonly machineId: string | null;
}

/** Under `storeKeys.lease`. */
export interface StoredLease {
  /** Which taking of the lease on L1 the directory goes by. */
  readonly epoch: number;
  readonly place: LeasePlace;
}

const PLACE_FILE = "LEASE-PLACE";
const MACHINE_ID_PATH = "/etc/machine-id";

/** @param dataPath of the open log. It may be renamed afterwards, and moved within its file system. */
export async function bindLease(log: LedgerLog, dataPath: string, epoch: number): Promise<void> {
  const path = join(dataPath, PLACE_FILE);
  if (!existsSync(path))
    writeFileSync(path, "An epoch of the lease holds for this file, and for no copy of it.\n");
  const place = placeOf(dataPath)!;
  await log.write([{ key: storeKeys.lease, value: { epoch, place } satisfies StoredLease }]);
}

/** @throws SEQ_LEASE_MISSING */
export function requirePlace({ epoch, place }: StoredLease, dataPath: string): void {
  const now = placeOf(dataPath);
  const isSameMachine =
    place.machineId === null || now?.machineId == null || place.machineId === now.machineId;
  if (isSameMachine && now?.inode === place.inode && now.bornAtNs === place.bornAtNs) return;
  throw sequencerError(
    "SEQ_LEASE_MISSING",
    `${dataPath} was copied after it had taken epoch ${epoch} of the lease: the first one may still run. ` +
      "If it does not, take the lease for the copy: openledger operator lease take --copy",
    { data: { reason: "lease-copied", dataPath, epoch } },
  );
}

function placeOf(dataPath: string): LeasePlace | null {
  const stat = statSync(join(dataPath, PLACE_FILE), { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return null;
  const machineId = existsSync(MACHINE_ID_PATH) ? readFileSync(MACHINE_ID_PATH, "utf8").trim() : "";
  return {
    inode: stat.ino.toString(),
    bornAtNs: stat.birthtimeNs.toString(),
    machineId: machineId === "" ? null : machineId,
  };
}
