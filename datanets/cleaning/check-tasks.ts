/**
 * Tasks of the host's thread that checks a Datanet's rows (check-rows.ts), so that requests are answered meanwhile.
 * store/row-check.ts starts it, sends the rows in pieces, and has them checked together.
 */
import { getHeapStatistics } from "node:v8";
import type { Card } from "../card/card.ts";
import { type CheckStep, checkRows } from "./check-rows.ts";
import type { Finding } from "./finding.ts";
import type { ForeignRow, RowToCheck } from "./row-to-check.ts";

const rows: RowToCheck[] = [];
const foreign: ForeignRow[] = [];

/** Heap that the thread may have: less than it was given where the process was started with `--max-old-space-size`. */
export const heapLimitBytes = (_: null): number => getHeapStatistics().heap_size_limit;

export function addRows(piece: readonly RowToCheck[]): void {
  rows.push(...piece);
}

export function addForeign(piece: readonly ForeignRow[]): void {
  foreign.push(...piece);
}

/** @param tell the step that begins. @throws RollupError what the rows cannot be looked at for */
export const check = (
  { card, datanetId }: { readonly card: Card; readonly datanetId: number },
  tell: (step: CheckStep) => void,
): Promise<readonly Finding[]> => checkRows({ card, datanetId, rows, foreign }, tell);
