import { existsSync } from "node:fs";
import { join } from "node:path";
import { processErrors } from "@openledger/foundation/error-table";

/** Folder in which hosts had everything before it was in the database. */
const EARLIER_FOLDER = ".openledger/datanets";

/**
 * What an earlier version has stored is in none of the tables: a host that passed it over would serve nothing, and say nothing.
 * @throws SRV_STORE_FORMAT
 */
export function refuseEarlierStore(folder = EARLIER_FOLDER): void {
  if (!existsSync(join(folder, "store"))) return;
  const remedy =
    "Let the version that wrote it serve it, mirror that host into this one (openledger datanet upload ID --from URL --host URL), and move the folder away: docs/how-to/upgrade.md.";
  throw processErrors.raise(
    "SRV_STORE_FORMAT",
    `${folder} has what an earlier version of the host stored: cards, rows and records are in PostgreSQL now. ${remedy}`,
    { data: { reason: "older", path: folder, kind: "datanet-host", found: 1, expected: null, remedy } },
  );
}
