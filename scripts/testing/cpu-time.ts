/** Set up for each test file: at its end, tells the reporter the CPU seconds of its process and of those it waited for. */
import { readFileSync } from "node:fs";
import { afterAll } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    cpuSeconds?: number;
  }
}

const TICKS_A_SECOND = 100;

// biome-ignore lint/correctness/noEmptyPattern: Vitest wants the first argument taken apart
afterAll(({}, suite) => {
  // User and system time, own and of children: proc_pid_stat(5), fields 14 to 17, behind the name in parentheses.
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)!.split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  suite.meta.cpuSeconds = ticks / TICKS_A_SECOND;
});
