/**
 * Access of a module of tasks to its thread: the start value that its pool gave, and results that are moved
 * (task-pool.ts).
 */
import type { Transferable } from "node:worker_threads";
import { transferableSymbol, valueSymbol, workerData } from "piscina";

/** The pool's `seat`. */
export const taskSeat = <Seat>(): Seat => (workerData as { seat: Seat }).seat;

/** A task's result, of which these parts are moved, not copied. */
export function moving<T>(value: T, parts: readonly Transferable[]): T {
  return { [transferableSymbol]: parts, [valueSymbol]: value } as T;
}
