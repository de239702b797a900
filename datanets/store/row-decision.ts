/** The last decision of a reviewer on a row, by its signed records. decisions.ts and row-states.ts read it. */
import type { RowRecords } from "../records/record-state.ts";

/** Last decision of a reviewer on a row. */
interface Decision {
  readonly isLeftOut: boolean;
  readonly why: string;
  readonly note: string;
  readonly byId: number;
  readonly atMs: number;
}

/** null if no reviewer has said so. Leaving out goes before settling, as in `outcomeOf`. */
export function decisionOf({ leaveOut, settled }: RowRecords): Decision | null {
  if (leaveOut !== null) {
    const { atMs, isLeftOut, leafId, note, why } = leaveOut;
    if (isLeftOut || settled === null || settled.label !== null)
      return { isLeftOut, why, note, byId: leafId, atMs };
  }
  if (settled === null || settled.label !== null) return null;
  return {
    isLeftOut: true,
    why: "wrong-label",
    note: settled.note,
    byId: settled.leafId,
    atMs: settled.atMs,
  };
}
