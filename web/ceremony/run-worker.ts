import { RollupError } from "@openledger/foundation/rollup-error";
import type { WorkerAnswer, WorkerTask } from "./worker-messages.ts";

/** Below assets/, as no-eval.ts wants a page's own scripts. */
const WORKER_URL = "./assets/ceremony-worker.js";

/** @throws what the task does; PRV_WORKER_DIED; the signal's reason */
export function runInWorker(
  task: WorkerTask,
  onProgress: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<Exclude<WorkerAnswer, { kind: "progress" | "failed" }>> {
  const worker = new Worker(WORKER_URL);
  return new Promise<Exclude<WorkerAnswer, { kind: "progress" | "failed" }>>((settle, fail) => {
    worker.onmessage = ({ data: answer }: MessageEvent<WorkerAnswer>) => {
      if (answer.kind === "progress") onProgress(answer.done, answer.total);
      else if (answer.kind === "failed")
        fail(new RollupError(answer.code ?? "PRV_PROVE_FAILED", answer.message));
      else settle(answer);
    };
    worker.onerror = ({ message }) =>
      fail(new RollupError("PRV_WORKER_DIED", `the ceremony's worker ended: ${message}`));
    signal?.addEventListener("abort", () => fail(signal.reason as Error), { once: true });
    worker.postMessage(task);
  }).finally(() => worker.terminate());
}
