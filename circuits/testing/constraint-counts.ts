/** Recorded numbers of constraints of templates (constraint-counts.json), with which tests compare. */
import { readFileSync } from "node:fs";
import { RollupError } from "@openledger/foundation/rollup-error";

const counts = JSON.parse(readFileSync(new URL("constraint-counts.json", import.meta.url), "utf8")) as Record<
  string,
  number
>;

/** The recorded number of constraints of a template, linear ones included. A change is a tripwire. */
export function recordedCount(label: string): number {
  const count = counts[label];
  if (count === undefined) {
    throw new RollupError("CIR_COUNT_UNRECORDED", `constraint-counts.json has no ${label}`, {
      data: { label },
    });
  }
  return count;
}
