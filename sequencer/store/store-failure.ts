/** Errors of damaged or wrong data directories, with the remedy for their owner, a sequencer or a full node. */
import type { CheckedLevelOptions } from "@openledger/foundation/store/checked-level";
import { sequencerError } from "../sequencer-errors.ts";

/** Owner of a data directory: a full node's can always be made again. */
export type StoreOwner = "sequencer" | "full-node";

/** Remedies that are the same for both. */
const COMMON = {
  locked: "Stop the other process that has it open first.",
  failed:
    "Make room on the disk, give the process its rights to the folder, or mend the disk; then start again: nothing acknowledged is lost.",
};

/** Remedy for each failure of LevelDB, by owner. */
export const STORE_REMEDIES: Readonly<Record<StoreOwner, CheckedLevelOptions["remedies"]>> = {
  sequencer: {
    ...COMMON,
    corrupt:
      'Keep the folder as it is, and go on from a copy that is newer than the last acknowledged operation, from a full node (openledger restore --from-full-node) or from L1 (openledger restore --from-l1): docs/how-to/operate.md, "When the data directory is lost".',
  },
  "full-node": {
    ...COMMON,
    corrupt: "Move the folder away and start again: the full node makes a new one from L1.",
  },
};

/** Error for damage that this code found; LevelDB's errors are mapped where they arise. */
export function corrupt(message: string, data: object, owner: StoreOwner = "sequencer") {
  const remedy = STORE_REMEDIES[owner].corrupt;
  return sequencerError("SRV_STORE_CORRUPT", `${message}. ${remedy}`, { data: { ...data, remedy } });
}

/** Kind in a directory's own record (foundation/store/store-kinds.ts). */
export const storeKindOf = (owner: StoreOwner) => (owner === "sequencer" ? "sequencer" : "full-node-ledger");

/** Error for the directory of another rollup, or of another process. */
export const wrongDirectory = (message: string, data: object) =>
  sequencerError("SEQ_WRONG_DIRECTORY", message, { data });
