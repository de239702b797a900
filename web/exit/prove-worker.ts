/** Worker that proves one exit for page-prover.ts, then ends. Built as a classic script of its own. */
import "../no-eval.ts";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { proveInThisThread } from "@openledger/prover/wasm/single-thread";
import type { WorkerAnswer, WorkerTask } from "./worker-messages.ts";

const port = globalThis as unknown as {
  onmessage: (event: MessageEvent<WorkerTask>) => void;
  postMessage(answer: WorkerAnswer): void;
};

port.onmessage = ({ data: { circuit, inputs } }) => {
  proveInThisThread(circuit, inputs, (stage) => port.postMessage({ kind: "stage", stage })).then(
    (proven) => port.postMessage({ kind: "proven", ...proven }),
    (error: unknown) => {
      const code = isRollupError(error) ? error.code : null;
      port.postMessage({
        kind: "failed",
        code,
        message: error instanceof Error ? error.message : String(error),
      });
    },
  );
};
