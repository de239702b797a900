import { existsSync } from "node:fs";
import { join } from "node:path";
import { processErrors } from "@openledger/foundation/error-table";
import { STORE_KINDS } from "@openledger/foundation/store/store-kinds";

/** Folder in which hosts had everything before it was in the database. */
const EARLIER_FOLDER = ".openledger/datanets";

/**
 * Refuses the files of an earlier version, which are in none of the tables: a host that passed them over would serve nothing, and say nothing.
 * @throws SRV_STORE_FORMAT
 */
export function refuseEarlierStore(folder = EARLIER_FOLDER): void {
  if (!existsSync(join(folder, "store"))) return;
  const { format, remedy } = STORE_KINDS["datanet-host"];
  throw processErrors.raise(
    "SRV_STORE_FORMAT",
    `${folder} has what an earlier version of the host stored: cards, rows and records are in PostgreSQL now. ${remedy}`,
    { data: { reason: "older", path: folder, kind: "datanet-host", found: 1, expected: format, remedy } },
  );
}
