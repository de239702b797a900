/** Facts of a version in tests, counted from rows and records as clients count them. */
import type { Card } from "../card/card.ts";
import type { ExportedRow } from "../export/exported-rows.ts";
import { type CountedVersion, type VersionFacts, versionFactsOf } from "../papers/version-facts.ts";
import type { RecordBody } from "../records/record.ts";
import { RecordState } from "../records/record-state.ts";

/**
 * Counts the facts of rows.
 * @param bodies records about them, in their order
 * @param more.terms terms of the rows; default: none are signed
 */
export function sampleFacts(
  card: Card,
  rows: readonly ExportedRow[],
  bodies: readonly RecordBody[] = [],
  {
    reports = [],
    terms = [],
    withdrawn = [],
  }: Partial<Pick<CountedVersion, "reports" | "terms">> & { readonly withdrawn?: readonly string[] } = {},
): VersionFacts {
  const recordState = new RecordState();
  for (const [i, body] of bodies.entries()) recordState.add(`0x${i}`, body);
  return versionFactsOf({
    card,
    rows,
    labels: rows.map(({ label }) => label),
    recordState,
    uncountedCount: 0,
    withdrawn: new Set(withdrawn),
    terms,
    reports,
    collected: { fromMs: Date.UTC(2026, 3, 1), toMs: Date.UTC(2026, 3, 2) },
  });
}
