/** Worker of the queue of proofs (prove-queue.ts): proves one job at a time. main.ts starts it. */

import { proofJson } from "@openledger/circuits/wire/wire-fields";
import type { RunningJob } from "@openledger/foundation/database/job-lease";
import type { DatabaseConfig } from "@openledger/foundation/database/open-database";
import { hex32 } from "@openledger/foundation/hex";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import type { ProofMaker } from "../process/proof-maker.ts";
import { proverError } from "../prover-errors.ts";
import type { CircuitInputs, ProvingCircuit, SignalValue } from "../proving/prover.ts";
import { openProofQueue, type ProveTask, type WrittenAnswer } from "./prove-queue.ts";
import type { WorkerMetrics } from "./worker-metrics.ts";

interface QueueWorkerOptions {
  readonly database: DatabaseConfig;
  readonly name: string;
  /** Time after which a worker that has not renewed its job loses it to the next one. */
  readonly leaseMs: number;
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

type ProveJob = RunningJob<ProveTask, { stage: "witness" | "prove" | "verify"; elapsedMs: number }>;

/** @throws SRV_DATABASE_UNREACHABLE; SRV_DATABASE_SCHEMA where nobody has put a job into the queue yet */
export async function startQueueWorker(
  { database, leaseMs, name }: QueueWorkerOptions,
  modules: QueueWorkerModules,
): Promise<QueueWorker> {
  const { logger, metrics, onFailing } = modules;
  const queue = await openProofQueue(database, { logger, migrates: false });
  const closing = new AbortController();
  queue.work({
    name,
    leaseMs,
    run: (job) => proveJob(job, { name, closing: closing.signal }, modules),
    onFailed(error, { id }) {
      const code = isRollupError(error) ? error.code : "OTHER";
      metrics?.errors.inc({ code });
      onFailing?.(code);
      logger.error({ err: error, code, jobId: id }, "a job failed");
    },
  });
  return {
    async close() {
      closing.abort();
      await queue.close();
    },
  };
}

async function proveJob(
  job: ProveJob,
  { closing, name }: { readonly name: string; readonly closing: AbortSignal },
  { circuits, maker, metrics, onFailing, onJob }: QueueWorkerModules,
): Promise<WrittenAnswer> {
  const startedAtMs = performance.now();
  const { signal, task } = job;
  const inputs = await job.inputs();
  const circuit = circuits.get(task.circuit);
  if (circuit?.contentHash !== task.contentHash) throw unknownCircuit(task.circuit, circuits);
  onJob?.(circuit.name);
  metrics?.busy.set(1);
  try {
    const proofJob = { circuit, inputs: toInputs(inputsSchema.parse(JSON.parse(textOfBytes(inputs)))) };
    const result = await maker.make(proofJob, { signal, onProgress: (progress) => job.progress(progress) });
    const elapsedMs = Math.round(performance.now() - startedAtMs);
    metrics?.proofs.inc();
    for (const [stage, durationMs] of Object.entries({ ...result.timings, wholeMs: elapsedMs }))
      metrics?.stageSeconds.observe({ stage: stage.replace(/Ms$/, "") }, durationMs / 1_000);
    onFailing?.(null);
    // The proof is handed over first: the check runs beside the next job.
    void maker.check(proofJob, result, closing);
    const { backend, proof, publicSignals, timings } = result;
    return {
      backend,
      timings,
      worker: name,
      elapsedMs,
      proof: proofJson(proof),
      publicSignals: publicSignals.map(hex32),
    };
  } finally {
    onJob?.(null);
    metrics?.busy.set(0);
  }
}

const inputsSchema = z.record(z.string(), z.unknown());

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
