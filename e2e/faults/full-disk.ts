/**
 * A full disk, without a disk: the kernel refuses every further byte of a file that reaches the process's limit of a
 * file's size (EFBIG, where a full disk says ENOSPC; LevelDB takes both alike). `prlimit` sets it on a running process,
 * for its own user, and no right is needed.
 */
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { ManagedProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";
import { type Fault, type Injected, logWordsOf } from "./fault.ts";

const MAX_WAIT_MS = 2_000;
const END_TIMEOUT_MS = 60_000;
/** A start with a disk that is full still. */
const STILL_FULL_BYTES = 64;

const setLimit = (pid: number, bytes: number | "unlimited") =>
  execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:`]);

export const fullDiskFault: Fault = {
  name: "full-disk",
  description: "sequencer and bridge cannot write another byte to the disk, at random moments",
  holds: "the process names SRV_STORE_FAILED or SRV_STORE_FAILED and ends with 1; with room again it goes on",
  defaultTries: 5,
  longTries: 10,
  shortTries: 1,
  async inject(world, { progress, random, tries }) {
    const rows: Injected[] = [];
    const cases: [ManagedProcess, string][] = [
      [world.sequencer, "SRV_STORE_FAILED"],
      [world.bridge, "SRV_STORE_FAILED"],
    ];
    for (const [process, code] of cases) {
      const recoveriesMs: number[] = [];
      const problems: string[] = [];
      process.forgetLog();
      for (let i = 1; i <= tries; i++) {
        await sleep(random.next() * MAX_WAIT_MS);
        setLimit(process.pid!, random.below(STILL_FULL_BYTES));
        const end = await process.ended(END_TIMEOUT_MS);
        if (end.status !== 1) problems.push(`${process.spec.name} ended with ${end.status ?? end.signal}`);
        if (!process.hasLogged(code)) problems.push(`${process.spec.name} did not say ${code}`);
        const ms = await recover(world, process);
        recoveriesMs.push(ms);
        progress(
          `${process.spec.name}, ${i} of ${tries}: said ${code}, works ${Math.round(ms)} ms after its start`,
        );
      }
      rows.push({
        fault: `full-disk-${process.spec.name}`,
        tries,
        recoveriesMs,
        logWords: logWordsOf(process, [code]),
        problems,
      });
    }
    return rows;
  },
};

/** Room again: started, and at work. */
async function recover(world: World, process: ManagedProcess): Promise<number> {
  const startedAtMs = performance.now();
  await process.start();
  if (process === world.bridge) await world.nextBatch();
  else await world.acknowledgement(startedAtMs);
  return performance.now() - startedAtMs;
}
