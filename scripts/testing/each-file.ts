/**
 * Set up for each test file. At its end, tells the reporter the CPU seconds that its process and those it waited for took
 * meanwhile, and gives the next file of the process the environment and globals that it would have alone.
 */
import { readFileSync } from "node:fs";
import { afterAll, vi } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    cpuSeconds?: number;
  }
}

const TICKS_A_SECOND = 100;

/** User and system time, own and of children: proc_pid_stat(5), fields 14 to 17, behind the name in parentheses. */
function cpuSeconds(): number {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)!.split(" ");
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / TICKS_A_SECOND;
}

const isFirst = !("openledgerTestFiles" in process);
Object.assign(process, { openledgerTestFiles: true });
const startedAt = isFirst ? 0 : cpuSeconds();
const environment = { ...process.env };

// biome-ignore lint/correctness/noEmptyPattern: Vitest wants the first argument taken apart
afterAll(({}, suite) => {
  suite.meta.cpuSeconds = cpuSeconds() - startedAt;
  vi.unstubAllGlobals();
  for (const name of Object.keys(process.env))
    if (!Object.hasOwn(environment, name)) delete process.env[name];
  Object.assign(process.env, environment);
});
