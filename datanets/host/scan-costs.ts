/**
 * Cost of a host's answers that search or list many rows, in units of the rate limit (foundation/http/answer-costs.ts). The
 * routes of rows, records, versions and findings charge by it, and the factory's lists.
 */
import type { HostContext } from "./host-context.ts";

/**
 * Rows that are gone through, rows that are checked, which takes 2 ms each of another thread, and entries of a list that are read and
 * shown, in the time of a unit of the rate limit.
 */
const SCANNED_PER_UNIT = 20_000;
const CHECKED_PER_UNIT = 100;
const ENTRIES_PER_UNIT = 50;

/** Cost of an answer for which the rows of a Datanet, or of all, are gone through, whatever is found. */
export const scanCost = ({ store }: Pick<HostContext, "store">, datanetId: number | null): number =>
  scannedCost(store.seenRowCount(datanetId));

/** Cost of a check of rows, which reads those of all Datanets that may be compared. */
export const checkCost = ({ store }: Pick<HostContext, "store">): number =>
  store.seenRowCount(null) / CHECKED_PER_UNIT;

export const scannedCost = (rowCount: number): number => rowCount / SCANNED_PER_UNIT;

export const entriesCost = (count: number): number => count / ENTRIES_PER_UNIT;
