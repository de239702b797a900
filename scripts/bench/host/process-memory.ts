import { readdirSync, readFileSync } from "node:fs";

/** Resident memory of a process, in MB. */
export function residentMb(pid: number): number {
  return kilobytesOf(`/proc/${pid}/status`, "VmRSS") / 1_000;
}

/** Memory of a process and its children, in MB: what they share counts once. Needs the right to look at them. */
export function familyMb(pid: number): number {
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const family = [pid, ...processes.map(Number).filter((one) => parentOf(one) === pid)];
  const kilobytes = family.map((one) => kilobytesOf(`/proc/${one}/smaps_rollup`, "Pss"));
  return kilobytes.reduce((sum, one) => sum + one) / 1_000;
}

/** null for a process that has ended. */
export function parentOf(pid: number): number | null {
  const parent = kilobytesOf(`/proc/${pid}/status`, "PPid");
  return parent === 0 ? null : parent;
}

/** The number of a line such as "VmRSS:  1024 kB"; 0 without it. */
function kilobytesOf(path: string, name: string): number {
  try {
    return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(path, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
