import type { HostContext } from "./host-context.ts";

/** Rows that are gone through, and entries of a list that are read and shown, in the time of a unit of the rate limit. */
const SCANNED_PER_UNIT = 20_000;
const ENTRIES_PER_UNIT = 50;

/** Cost of an answer for which the rows of a Datanet, or of all, are gone through, whatever is found. */
export function scanCost({ registry }: Pick<HostContext, "registry">, datanetId: number | null): number {
  const scanned = registry.all().filter(({ id }) => datanetId === null || id === datanetId);
  return scannedCost(scanned.reduce((sum, { rows }) => sum + rows.size, 0));
}

export const scannedCost = (rowCount: number): number => rowCount / SCANNED_PER_UNIT;

export const entriesCost = (count: number): number => count / ENTRIES_PER_UNIT;
