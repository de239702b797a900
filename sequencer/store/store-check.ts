/**
 * Reads every block of the store and compares every value with its checksum. Before anything is served, by default: damage
 * is found then, not when LevelDB comes by on one of its rounds and more was acknowledged on top.
 *
 * The history grows for ever, and the check with it. Anyone who cannot wait has it done beside the work; what a start goes on
 * with is checked as it is read, whenever the rest is. Two starts in a row never go without: a file says that the last
 * check was not finished, and the next start then checks first, whatever ended the process.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Level } from "level";
import { checkedBody } from "./store-encoding.ts";

export const STORE_CHECKS = ["first", "beside"] as const;
export type StoreCheckTime = (typeof STORE_CHECKS)[number];

/** What was read, and how long that took. */
export interface StoreCheck {
  readonly valueCount: number;
  readonly byteCount: number;
  readonly durationMs: number;
}

export const NOTHING_CHECKED: StoreCheck = { valueCount: 0, byteCount: 0, durationMs: 0 };

const VALUES_AT_ONCE = 1_000;
/** LevelDB's binding hands over 16 kB at a time by default: a tenth of the time is then spent on going to and fro. */
const BYTES_AT_ONCE = 2 ** 20;

/**
 * @param options.pauseMs after every thousand values, which take a millisecond of this thread
 * @param options.isCancelled asked as often
 * @returns null where it was cancelled
 * @throws where a value is not as it was written, or LevelDB cannot read it
 */
export async function checkStore(
  db: Level<string, unknown>,
  { isCancelled, pauseMs = 0 }: { pauseMs?: number; isCancelled?: () => boolean } = {},
): Promise<StoreCheck | null> {
  const startedAt = performance.now();
  const options = { valueEncoding: "view", fillCache: false, highWaterMarkBytes: BYTES_AT_ONCE };
  const values = db.values<string, Uint8Array>(options);
  let [valueCount, byteCount] = [0, 0];
  try {
    for (;;) {
      if (isCancelled?.()) return null;
      const some = await values.nextv(VALUES_AT_ONCE);
      if (some.length === 0) return { valueCount, byteCount, durationMs: performance.now() - startedAt };
      valueCount += some.length;
      for (const value of some) byteCount += checkedBody(value).length;
      if (pauseMs > 0) await pause(pauseMs);
    }
  } finally {
    await values.close();
  }
}

/** LevelDB leaves files alone whose names it does not know. */
const markPath = (folder: string) => join(folder, "UNCHECKED");

export const isCheckOwed = (folder: string): boolean => existsSync(markPath(folder));

/** Durable before anything is served. @throws where the disk does not take it */
export function oweCheck(folder: string): void {
  const fd = openSync(markPath(folder), "w");
  fsyncSync(fd);
  closeSync(fd);
}

export const settleCheck = (folder: string): void => rmSync(markPath(folder), { force: true });
