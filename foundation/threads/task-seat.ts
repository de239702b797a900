/**
 * Helpers for a module `…-tasks.ts`, whose functions run on a thread of task-pool.ts: the start value that the pool gave the
 * thread, and results that are moved instead of copied.
 */
import type { Transferable } from "node:worker_threads";
import { transferableSymbol, valueSymbol, workerData } from "piscina";

/** The pool's `seat`. */
export const taskSeat = <Seat>(): Seat => (workerData as { seat: Seat }).seat;

/** A task's result, of which these parts are moved, not copied. */
export function moving<T>(value: T, parts: readonly Transferable[]): T {
  return { [transferableSymbol]: parts, [valueSymbol]: value } as T;
}
