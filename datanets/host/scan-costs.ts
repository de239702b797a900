/**
 * Costs of a host's answers that search or check many rows, in units of the rate limit (foundation/http/answer-costs.ts). The routes
 * of rows, records, versions and findings charge by them.
 */
import { scannedCost } from "@openledger/foundation/http/answer-costs";
import type { HostContext } from "./host-context.ts";

/** Rows checked in the time of one unit: each takes 2 ms of another thread. */
const CHECKED_PER_UNIT = 100;

/** Cost of an answer that reads all rows of a Datanet, or of all Datanets (null), whatever is found. */
export const scanCost = ({ store }: Pick<HostContext, "store">, datanetId: number | null): number =>
  scannedCost(store.seenRowCount(datanetId));

/** Cost of a check of rows, which reads the rows of all Datanets that may be compared. */
export const checkCost = ({ store }: Pick<HostContext, "store">): number =>
  store.seenRowCount(null) / CHECKED_PER_UNIT;
