/** Shares the retrainings and metagradients of `npm run bench -- attribution` among processes. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { RetrainOrder, RetrainTask } from "./retrain-worker.ts";
import type { TextSetting } from "./setting.ts";

/** Makes in `threads` processes what is not in the cache; an interrupted run continues from there. */
export async function shareWork(
  setting: TextSetting,
  tasks: readonly RetrainTask[],
  threads: number,
  log: (line: string) => void,
): Promise<void> {
  const startedAtMs = performance.now();
  let done = 0;
  const entry = fileURLToPath(new URL("./retrain-worker.ts", import.meta.url));
  const work = (thread: number) =>
    new Promise<void>((resolve, reject) => {
      // The loader that runs this file comes along with process.execArgv.
      const child = fork(entry, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
      const own = tasks.filter((_, i) => i % threads === thread);
      let ownDone = 0;
      child.on("message", () => {
        ownDone += 1;
        done += 1;
        if (done % 10 !== 0 && done !== tasks.length) return;
        const seconds = (performance.now() - startedAtMs) / 1_000;
        log(`${done} of ${tasks.length} models retrained or in the cache, ${seconds.toFixed(0)} s`);
      });
      child.on("error", reject);
      child.on("exit", (code) => {
        if (ownDone === own.length) resolve();
        else
          reject(new Error(`a retraining process ended with code ${code} after ${ownDone} of ${own.length}`));
      });
      child.send({ setting, tasks: own } satisfies RetrainOrder);
    });
  await Promise.all(Array.from({ length: threads }, (_, thread) => work(thread)));
}
