/** Time that a job has left, in words. */
import { showDuration } from "../../words/format.ts";

/** Time that an estimate may be exceeded by before the page says so. */
const LATE_MS = 10_000;

/** Time left, as far as an estimate can tell. */
export function sayTimeLeft(leftMs: number): string {
  if (leftMs < -LATE_MS) return "longer than estimated";
  return leftMs < 60_000 ? "less than a minute" : `about ${showDuration(leftMs)}`;
}
