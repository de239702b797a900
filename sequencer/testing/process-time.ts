/** Processor time of another process of this machine, by thread, as Linux counts it. */
import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ of Linux on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

interface ProcessTime {
  readonly totalMs: number;
  /** The thread that runs JavaScript's event loop. */
  readonly mainMs: number;
}

const readMs = (path: string): number => {
  const stat = readFileSync(path, "utf8");
  // The name in parentheses may hold anything; user and system time are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND;
};

/** @throws Error where the process is gone, or the system is not Linux */
export function processTime(pid: number): ProcessTime {
  const threads = readdirSync(`/proc/${pid}/task`);
  if (!threads.includes(String(pid))) throw new Error(`process ${pid} has no main thread`);
  return { totalMs: readMs(`/proc/${pid}/stat`), mainMs: readMs(`/proc/${pid}/task/${pid}/stat`) };
}

export const timeBetween = (before: ProcessTime, after: ProcessTime): ProcessTime => ({
  totalMs: after.totalMs - before.totalMs,
  mainMs: after.mainMs - before.mainMs,
});
