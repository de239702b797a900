/** The worker that contributes, or checks a transcript: one task, then it ends. Built as a classic script of its own. */
import "../no-eval.ts";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { checkTranscript } from "@openledger/prover/ceremony/check-transcript";
import { contribute } from "@openledger/prover/ceremony/contribute";
import type { WorkerAnswer, WorkerTask } from "./worker-messages.ts";

const port = globalThis as unknown as {
  onmessage: (event: MessageEvent<WorkerTask>) => void;
  postMessage(answer: WorkerAnswer, transfer?: Transferable[]): void;
};

const tell = (done: number, total: number) => port.postMessage({ kind: "progress", done, total });

port.onmessage = ({ data: task }) => {
  try {
    if (task.kind === "check") {
      checkTranscript(task.info, task.entries, tell);
      port.postMessage({ kind: "checked" });
      return;
    }
    const { hash, round } = contribute(task.work, tell);
    port.postMessage({ kind: "contributed", round, hash }, [round.buffer as ArrayBuffer]);
  } catch (error) {
    const code = isRollupError(error) ? error.code : null;
    port.postMessage({
      kind: "failed",
      code,
      message: error instanceof Error ? error.message : String(error),
    });
  }
};
