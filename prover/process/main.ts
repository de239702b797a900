/** The child process that makes a sequencer's or an answer server's proofs. ChildProver starts it; it ends with its parent. */
import { endWithParent } from "@openledger/foundation/end-with-parent";
import { createLogger } from "@openledger/foundation/logger";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { ProofJob } from "../proving/prover.ts";
import { BEAT_MS, type ChildFailure, type ChildMessage, type ParentMessage } from "./process-messages.ts";
import { ProofMaker } from "./proof-maker.ts";
import { readProverConfig } from "./prover-config.ts";

// The channel closes when the parent ends, however that ends: kill -9 included.
endWithParent(0);
// The terminal and service managers signal the whole group. Only the parent decides when this process ends.
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => {});

const send = (message: ChildMessage) => {
  if (process.connected) process.send!(message, () => {});
};
const failureOf = (error: unknown): ChildFailure => {
  if (!isRollupError(error)) return { code: null, message: String(error), data: {}, isRetryable: false };
  const { code, data, isRetryable, message } = error;
  return { code, message, data, isRetryable };
};

setInterval(() => send({ kind: "beat", memoryBytes: process.memoryUsage.rss() }), BEAT_MS);

async function run(): Promise<void> {
  keepFilesPrivate();
  const config = readProverConfig(process.env);
  const logger = createLogger("prover", config.logLevel);
  const running = new Map<number, AbortController>();
  const onCrossCheck = (result: "same" | "failed") => send({ kind: "cross-check", result });
  const maker = await ProofMaker.open(config, { logger, onCrossCheck });
  let last: Promise<unknown> = Promise.resolve();
  let makingCount = 0;
  let isChecking = false;

  const make = async (id: number, job: ProofJob, { signal }: AbortController) => {
    makingCount += 1;
    try {
      const result = await maker.make(job, {
        signal,
        onProgress: ({ elapsedMs, stage }) => send({ kind: "stage", id, stage, elapsedMs }),
      });
      send({ kind: "proven", id, result });
      return result;
    } catch (error) {
      send({ kind: "failed", id, failure: failureOf(error) });
      return null;
    } finally {
      makingCount -= 1;
    }
  };
  const prove = async (id: number, job: ProofJob, stopping: AbortController) => {
    const result = await make(id, job, stopping);
    // A check by another back end takes as much memory as a proof: neither begins beside the other.
    if (result !== null && makingCount === 0) {
      isChecking = true;
      await maker.check(job, result, stopping.signal);
      isChecking = false;
    }
    running.delete(id);
  };

  process.on("message", (message: ParentMessage) => {
    switch (message.kind) {
      case "prove": {
        const stopping = new AbortController();
        running.set(message.id, stopping);
        const { id, job } = message;
        // A job that comes beside another one is next, and its witness is made meanwhile.
        const proof =
          maker.isCheckDue || isChecking
            ? last.then(() => prove(id, job, stopping))
            : prove(id, job, stopping);
        last = Promise.all([last, proof]);
        return;
      }
      case "cancel":
        running.get(message.id)?.abort();
        return;
      default: {
        const unknown: never = message;
        throw new TypeError(`no message ${JSON.stringify(unknown)}`);
      }
    }
  });
  send({ kind: "ready", backend: maker.backend });
}

run().catch((error: unknown) => {
  process.send!({ kind: "unusable", failure: failureOf(error) } satisfies ChildMessage, () =>
    process.exit(1),
  );
});
