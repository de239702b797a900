/** Worker of the queue: proves one job at a time, and renews the job's lock while it runs. main.ts starts it. */

import { setInterval as every } from "node:timers/promises";
import { proofJson } from "@openledger/circuits/wire/wire-fields";
import { hex32 } from "@openledger/foundation/hex";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Job, UnrecoverableError, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { ProofMaker } from "../process/proof-maker.ts";
import { proverError } from "../prover-errors.ts";
import type { CircuitInputs, ProvingCircuit, SignalValue } from "../proving/prover.ts";
import {
  connectRedis,
  getInputs,
  isCancelled,
  JOB_ENDS,
  KEY_PREFIX,
  proveTaskSchema,
  QUEUE_NAME,
  type WrittenAnswer,
} from "./prove-queue.ts";
import type { WorkerMetrics } from "./worker-metrics.ts";

/** Interval at which a worker checks that its job is not cancelled. */
const CANCEL_CHECK_MS = 3_000;

interface QueueWorkerOptions {
  readonly queueUrl: string;
  readonly name: string;
  /** Life of a job's lock. A worker that does not renew it for so long loses its job to the next one. */
  readonly lockMs: number;
  readonly cancelCheckMs?: number;
}

interface QueueWorkerModules {
  readonly maker: Pick<ProofMaker, "check" | "make">;
  readonly circuits: ReadonlyMap<string, ProvingCircuit>;
  readonly logger: Logger;
  readonly metrics?: WorkerMetrics;
  /** Called with the circuit when a job begins, and with null when it ends. */
  readonly onJob?: (circuit: string | null) => void;
  /** Called with the code of a failure that a retry hardly mends, and with null once a job succeeds again. */
  readonly onFailing?: (code: string | null) => void;
}

export interface QueueWorker {
  /** Returns the running job to the queue, and ends. */
  close(): Promise<void>;
}

/** @throws PRV_QUEUE_FAILED if Redis does not answer */
export async function startQueueWorker(
  options: QueueWorkerOptions,
  modules: QueueWorkerModules,
): Promise<QueueWorker> {
  const { lockMs, name, queueUrl } = options;
  const { logger } = modules;
  const redis = await connectRedis(queueUrl, (error) =>
    logger.warn({ reason: error.message }, "the queue's Redis"),
  );
  const stopping = new AbortController();
  const worker = new Worker(
    QUEUE_NAME,
    (job, token, signal) =>
      proveJob(job, token!, signal!, { ...options, redis, stopping: stopping.signal }, modules),
    {
      connection: redis,
      prefix: KEY_PREFIX,
      name,
      lockDuration: lockMs,
      stalledInterval: lockMs / 2,
      // A worker that dies twice with the same job may die of it.
      maxStalledCount: 2,
    },
  );
  worker.on("error", (error) => logger.warn({ reason: error.message }, "the queue"));
  worker.on("stalled", (jobId) => logger.warn({ jobId }, "a worker is gone; its job waits again"));
  worker.on("lockRenewalFailed", (jobIds: string[]) => {
    // Redis away is no loss: whether the job is still ours shows once it is back.
    if (redis.status !== "ready") return;
    logger.warn({ jobIds }, "the job was taken over");
    for (const jobId of jobIds) worker.cancelJob(jobId);
  });
  await worker.waitUntilReady();
  return {
    async close() {
      stopping.abort();
      worker.cancelAllJobs();
      await worker.close();
      redis.disconnect();
    },
  };
}

async function proveJob(
  job: Job,
  token: string,
  taken: AbortSignal,
  {
    cancelCheckMs = CANCEL_CHECK_MS,
    name,
    redis,
    stopping,
  }: QueueWorkerOptions & { redis: Redis; stopping: AbortSignal },
  { circuits, logger, maker, metrics, onFailing, onJob }: QueueWorkerModules,
): Promise<WrittenAnswer> {
  const startedAtMs = performance.now();
  const cancelled = new AbortController();
  const finished = new AbortController();
  const signal = AbortSignal.any([taken, stopping, cancelled.signal]);
  const watching = watch(redis, job.id!, cancelled, finished.signal, cancelCheckMs);
  try {
    const task = proveTaskSchema.parse(job.data);
    const found = await getInputs(redis, task.inputsHash);
    if ("problem" in found) throw new UnrecoverableError(found.problem);
    const circuit = circuits.get(task.circuit);
    if (circuit?.contentHash !== task.contentHash) throw unknownCircuit(task.circuit, circuits);
    onJob?.(circuit.name);
    metrics?.busy.set(1);
    const proofJob = { circuit, inputs: toInputs(found.inputs) };
    const result = await maker.make(proofJob, { signal });
    const elapsedMs = Math.round(performance.now() - startedAtMs);
    metrics?.proofs.inc();
    for (const [stage, durationMs] of Object.entries({ ...result.timings, wholeMs: elapsedMs }))
      metrics?.stageSeconds.observe({ stage: stage.replace(/Ms$/, "") }, durationMs / 1_000);
    onFailing?.(null);
    // The proof is handed over first: BullMQ writes the answer, and the check runs beside the next job.
    void maker.check(proofJob, result, stopping);
    const { backend, proof, publicSignals, timings } = result;
    return {
      backend,
      timings,
      worker: name,
      elapsedMs,
      proof: proofJson(proof),
      publicSignals: publicSignals.map(hex32),
    };
  } catch (error) {
    if (stopping.aborted) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (cancelled.signal.aborted) {
      logger.info({ jobId: job.id }, "the job was cancelled");
      throw new UnrecoverableError(JOB_ENDS.cancelled);
    }
    if (!(error instanceof UnrecoverableError)) {
      const code = isRollupError(error) ? error.code : "OTHER";
      metrics?.errors.inc({ code });
      onFailing?.(code);
      logger.error({ err: error, code, jobId: job.id }, "a job failed");
    }
    throw error;
  } finally {
    finished.abort();
    onJob?.(null);
    metrics?.busy.set(0);
    await watching;
  }
}

/** Aborts `cancelled` once the job is cancelled. */
async function watch(
  redis: Redis,
  jobId: string,
  cancelled: AbortController,
  finished: AbortSignal,
  everyMs: number,
): Promise<void> {
  try {
    // Redis away is no cancellation.
    for await (const _ of every(everyMs, undefined, { signal: finished }))
      if (redis.status === "ready" && (await isCancelled(redis, jobId).catch(() => false))) cancelled.abort();
  } catch {
    // Finished.
  }
}

const unknownCircuit = (circuit: string, circuits: ReadonlyMap<string, ProvingCircuit>) =>
  proverError("PRV_CIRCUIT_UNSUPPORTED", `the job is for ${circuit}, which the deployment does not have`, {
    data: { reason: "circuit-unknown", circuit, known: [...circuits.keys()] },
  });

/** Signals as the queue has them: decimal text, nested as the circuit's are. @throws PRV_QUEUE_FAILED */
function toInputs(inputs: Record<string, unknown>): CircuitInputs {
  const toSignal = (value: unknown): SignalValue => {
    if (Array.isArray(value)) return value.map(toSignal);
    if (typeof value === "string" && /^\d+$/.test(value)) return BigInt(value);
    const shown = JSON.stringify(value)?.slice(0, 80);
    throw proverError("PRV_QUEUE_FAILED", `an input signal is ${shown}, not a number`, {
      data: { reason: "queue-inputs-invalid" },
    });
  };
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, toSignal(value)]));
}
