/**
 * Refuses to start a process beside the files of an earlier version, which kept in a folder what is in PostgreSQL now. The
 * Datanet host and the factory call it.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { processErrors } from "../error-table.ts";
import { STORE_KINDS, type StoreKind } from "./store-kinds.ts";

/**
 * Refuses a folder in which an earlier version has stored what is in PostgreSQL now: it is in none of the tables, and a process
 * that passed it over would serve nothing, and say nothing.
 * @throws SRV_STORE_FORMAT
 */
export function refuseEarlierStore(kind: StoreKind, folder: string): void {
  if (!existsSync(join(folder, "store"))) return;
  const { format, name, remedy } = STORE_KINDS[kind];
  throw processErrors.raise(
    "SRV_STORE_FORMAT",
    `${folder} is ${name} of an earlier version: what it stored is in PostgreSQL now. ${remedy}`,
    { data: { reason: "older", path: folder, kind, found: format - 1, expected: format, remedy } },
  );
}
