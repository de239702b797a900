/** Tasks of task-pool.test.ts. */
import { getPriority } from "node:os";
import { threadId } from "node:worker_threads";
import { processErrors } from "../error-table.ts";
import { moving, taskSeat } from "../threads/task-seat.ts";

const MEETING_MS = 10_000;

export const where = () => ({ threadId, seat: taskSeat<string>() });

/** How far this thread stands back, where the system counts it by threads: on Linux. */
export const niceness = () => getPriority(0);

export const add = ([a, b]: readonly [bigint, bigint]) => a + b;

export async function count(to: number, tell: (done: number) => void) {
  for (let i = 1; i <= to; i++) tell(i);
  return to;
}

export const lengthOf = (bytes: Uint8Array) => bytes.length;

export function makeBytes(length: number) {
  const bytes = new Uint8Array(length).fill(7);
  return moving({ bytes }, [bytes.buffer]);
}

export const waitFor = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * Waits until so many tasks wait at once, each on a thread of its own: it gives its thread to nobody meanwhile.
 * @param waiting counts them, in memory that the threads share
 * @returns whether they met
 */
export function meet({ count, waiting }: { count: number; waiting: Int32Array }): boolean {
  Atomics.add(waiting, 0, 1);
  Atomics.notify(waiting, 0);
  const endMs = performance.now() + MEETING_MS;
  for (let there = 0; ; ) {
    there = Atomics.load(waiting, 0);
    const leftMs = endMs - performance.now();
    if (there >= count || leftMs <= 0) return there >= count;
    Atomics.wait(waiting, 0, there, leftMs);
  }
}

/** Never gives its thread back, not to a timer either. */
export function spin(_: null): never {
  for (;;);
}

export function refuse(reason: string): never {
  throw processErrors.raise("SRV_STORE_FAILED", "the disk is full", { data: { reason, amount: 5n } });
}

export function fail(isCopied: boolean): never {
  throw Object.assign(new RangeError("too far"), isCopied ? {} : { tool: () => {} });
}

/** Keeps so many MiB of small objects at once. */
export function fillHeap(megabytes: number): number {
  const kept: number[][] = [];
  // An array of 1,024 doubles takes 8 KiB.
  for (let i = 0; i < 128 * megabytes; i++) kept.push(Array.from({ length: 1_024 }, (_, k) => k + 0.5));
  return kept.length;
}

export function die(how: "exit" | "throw"): Promise<never> {
  if (how === "exit") process.exit(3);
  if (how === "throw")
    setImmediate(() => {
      throw new Error("nobody catches this");
    });
  return new Promise(() => {});
}
