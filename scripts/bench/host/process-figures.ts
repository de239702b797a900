/**
 * Memory and processor time of a Datanet host's process, and of the database's server on this machine, for `npm run bench --
 * sequencer --host`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";

/** Time of a tick of /proc/PID/stat, on every Linux. */
const TICK_MS = 10;

/** Process that started the server's others; null where it is on another machine. */
export async function serverPid(url: string): Promise<number | null> {
  const part = { name: "bench", migrations: ["select 1"] };
  const database = await Database.open({ url, part, rollup: null, logger: createLogger("bench", "silent") });
  try {
    const [row] = await database.query<{ pid: number }>("select pg_backend_pid() as pid");
    return parentOf(row!.pid);
  } finally {
    await database.close();
  }
}

/** Resident memory of a process, in MB. */
export function residentMb(pid: number): number {
  return kilobytesOf(`/proc/${pid}/status`, "VmRSS") / 1_000;
}

/** Memory of a process and its children, in MB: what they share counts once. Needs the right to look at them. */
export function familyMb(pid: number): number {
  const kilobytes = familyOf(pid).map((one) => kilobytesOf(`/proc/${one}/smaps_rollup`, "Pss"));
  return kilobytes.reduce((sum, one) => sum + one) / 1_000;
}

/** Processor time of a process and its children so far, of those that have ended too. */
export function familyCpuMs(pid: number): number {
  const own = ticksOf(pid);
  const children = familyOf(pid)
    .slice(1)
    .map((one) => ticksOf(one).own);
  return TICK_MS * children.reduce((sum, one) => sum + one, own.own + own.ended);
}

function familyOf(pid: number): number[] {
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return [pid, ...processes.map(Number).filter((one) => parentOf(one) === pid)];
}

/** null for a process that is not on this machine, or has ended. */
function parentOf(pid: number): number | null {
  const parent = kilobytesOf(`/proc/${pid}/status`, "PPid");
  return parent === 0 ? null : parent;
}

function ticksOf(pid: number): { own: number; ended: number } {
  // The name in parentheses may have spaces.
  const fields = read(`/proc/${pid}/stat`).split(") ").at(-1)!.split(" ").map(Number);
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11);
  return { own: user + system, ended: endedUser + endedSystem };
}

/** The number of a line such as "VmRSS:  1024 kB"; 0 without it. */
const kilobytesOf = (path: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(read(path))?.[1] ?? 0);

/** "" for a process that has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
