/** File of the processes that a devnet has started, so that the next one can end those that outlived a kill. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import { z } from "zod";
import { devnetError } from "./devnet-errors.ts";

const recordSchema = z.object({
  /** The devnet itself. */
  owner: z.object({ pid: z.int(), command: z.string() }),
  children: z.array(z.object({ name: z.string(), pid: z.int(), command: z.string() })),
});
export type ProcessFile = z.infer<typeof recordSchema>;

const STOP_TIMEOUT_MS = 15_000;

/**
 * Ends what an earlier devnet left behind: its recorded processes, each only if it still runs the recorded command.
 * @returns the names of those that were ended
 * @throws DEV_FAILED where that devnet itself still runs
 */
export async function endLeftovers(path: string): Promise<string[]> {
  const text = readIfPresent(path);
  const record = text === null ? null : (recordSchema.safeParse(JSON.parse(text)).data ?? null);
  if (record === null) return [];
  if (record.owner.pid !== process.pid && commandOf(record.owner.pid) === record.owner.command) {
    throw devnetError("DEV_FAILED", `a devnet runs here already, as process ${record.owner.pid}`, {
      data: { reason: "already-running", pid: record.owner.pid },
    });
  }
  // Services before the node that they talk to: it is the first of the list.
  const ended: string[] = [];
  for (const { name, pid, command } of [...record.children].reverse()) {
    if (commandOf(pid) !== command) continue;
    await endProcess(pid, command);
    ended.push(name);
  }
  return ended;
}

export async function writeProcessFile(path: string, children: ProcessFile["children"]): Promise<void> {
  const owner = { pid: process.pid, command: commandOf(process.pid) ?? "" };
  await writeFileWhole(path, `${JSON.stringify({ owner, children }, null, 2)}\n`);
}

/** The command line of a process, or null where there is no such process. */
export function commandOf(pid: number): string | null {
  try {
    if (process.platform === "linux") {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim() || null;
    }
    return execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" }).trim() || null;
  } catch {
    return null; // ended
  }
}

async function endProcess(pid: number, command: string): Promise<void> {
  process.kill(pid, "SIGTERM");
  for (const deadline = Date.now() + STOP_TIMEOUT_MS; Date.now() < deadline; await sleep(100)) {
    if (commandOf(pid) !== command) return;
  }
  process.kill(pid, "SIGKILL");
}
