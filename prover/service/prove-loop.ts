/** Proves what the sequencer asks for, one batch at a time, until it is told to stop. */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { ProveJob, ProveJobClient } from "../jobs/sequencer-jobs.ts";
import { makeMissingKey } from "../keys/deployed-circuits.ts";
import { proverError } from "../prover-errors.ts";
import type { ProofTimes } from "../proving/proof-times.ts";
import type { ProofResult, Prover, ProvingCircuit } from "../proving/prover.ts";
import type { CrossCheck } from "./cross-check.ts";
import type { ProverMetrics } from "./prover-metrics.ts";

export interface ProveLoopOptions {
  readonly pollIntervalMs: number;
  /** Longest wait while the sequencer does not answer. */
  readonly maxBackoffMs: number;
  /** How often a job in progress is compared with what the sequencer still wants. */
  readonly checkIntervalMs: number;
  readonly signal: AbortSignal;
}

interface ProveLoopModules {
  readonly jobs: ProveJobClient;
  readonly prover: Prover;
  readonly circuits: ReadonlyMap<string, ProvingCircuit>;
  readonly logger: Logger;
  /** Where the time of each proof is noted, for estimates of later starts. */
  readonly times?: ProofTimes;
  readonly metrics?: ProverMetrics;
  /** Has a proof made again now and then. */
  readonly crossCheck?: Pick<CrossCheck, "afterProof">;
  /** Told when a job begins (its batch's number) and when none runs (null). */
  readonly onJob?: (batchNumber: number | null) => void;
  /** Told the code of a failure that repeating hardly mends, and null once a job succeeds again. */
  readonly onFailing?: (code: string | null) => void;
}

/**
 * Goes on whatever happens, with longer and longer waits. What is not retryable (a key that does not fit, inputs without a
 * witness) needs a human, and is said at level "error"; but the sequencer may close the batch again, or be repaired, and a
 * batch that cannot be proven must not take the prover away from what comes after it.
 */
export async function runProveLoop(options: ProveLoopOptions, modules: ProveLoopModules): Promise<void> {
  const { signal } = options;
  for (let failureCount = 0; !signal.aborted; ) {
    try {
      const job = await modules.jobs.nextJob(signal);
      if (job !== null) await proveJob(job, options, modules);
      failureCount = 0;
      modules.onFailing?.(null);
      if (job === null) await sleep(options.pollIntervalMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      failureCount += 1;
      modules.metrics?.errors.inc({ code: isRollupError(error) ? error.code : "OTHER" });
      const waitMs = backoffMs(failureCount, options);
      if (isRollupError(error) && error.isRetryable) {
        const { code, message: reason } = error;
        modules.logger.warn({ code, reason, failureCount, waitMs }, "failed, will try again");
      } else {
        const code = isRollupError(error) ? error.code : "OTHER";
        modules.onFailing?.(code);
        modules.logger.error(
          { err: error, code, failureCount, waitMs },
          "a human has to look; will try again",
        );
      }
      await sleep(waitMs, signal);
    }
  }
}

async function proveJob(job: ProveJob, options: ProveLoopOptions, modules: ProveLoopModules): Promise<void> {
  const { batchNumber, circuit: name } = job;
  const logger = modules.logger.child({ batchNumber, circuit: name });
  const known = modules.circuits.get(name);
  if (known === undefined) {
    throw proverError(
      "PRV_CIRCUIT_UNSUPPORTED",
      `batch ${batchNumber} is for ${name}, which the deployment does not have`,
      {
        data: { reason: "circuit-unknown", batchNumber, circuit: name, known: [...modules.circuits.keys()] },
      },
    );
  }
  modules.onJob?.(batchNumber);
  modules.metrics?.busy.set(1);
  const startedAtMs = performance.now();
  const superseded = new AbortController();
  const finished = new AbortController();
  const watching = watchJob(job, superseded, finished.signal, options, modules);
  try {
    const circuit = await makeMissingKey(known);
    logger.info("proving");
    const result = await modules.prover.prove(
      { circuit, inputs: job.inputs },
      {
        signal: AbortSignal.any([options.signal, superseded.signal]),
        onProgress: ({ stage, elapsedMs }) =>
          logger.debug({ stage, elapsedMs: Math.round(elapsedMs) }, "stage"),
      },
    );
    const elapsedMs = Math.round(performance.now() - startedAtMs);
    const { backend, keyMemory, timings } = result;
    logger.info({ elapsedMs, timings, backend, keyMemory }, "proven");
    for (const [stage, durationMs] of Object.entries({ ...result.timings, wholeMs: elapsedMs }))
      modules.metrics?.stageSeconds.observe({ stage: stage.replace(/Ms$/, "") }, durationMs / 1_000);
    await modules.times?.note({ contentHash: circuit.contentHash, backend: result.backend }, elapsedMs);
    await deliver(job, result, logger, options, modules);
    await modules.crossCheck?.afterProof({ circuit, inputs: job.inputs }, result, options.signal);
  } catch (error) {
    if (!superseded.signal.aborted || !isRollupError(error, "PRV_CANCELLED")) {
      if (!options.signal.aborted) await modules.jobs.giveUp?.(job, error as Error);
      throw error;
    }
    logger.info(
      { elapsedMs: Math.round(performance.now() - startedAtMs) },
      "cancelled: the sequencer no longer wants this proof",
    );
  } finally {
    finished.abort();
    modules.onJob?.(null);
    modules.metrics?.busy.set(0);
    await watching;
  }
}

/** Aborts `superseded` once the sequencer's job for this prover is another one. */
async function watchJob(
  job: ProveJob,
  superseded: AbortController,
  finished: AbortSignal,
  options: ProveLoopOptions,
  modules: ProveLoopModules,
): Promise<void> {
  const signal = AbortSignal.any([finished, options.signal]);
  for (;;) {
    await sleep(options.checkIntervalMs, signal);
    if (signal.aborted) return;
    try {
      const wanted = await modules.jobs.nextJob(signal);
      if (wanted?.batchHash === job.batchHash || signal.aborted) continue;
      superseded.abort();
      return;
    } catch (error) {
      // The sequencer may be starting again, so the proof in progress goes on meanwhile.
      if (!signal.aborted)
        modules.logger.debug({ reason: String(error) }, "cannot ask whether the job is still wanted");
    }
  }
}

/** Hands the proof over, however long the sequencer is away: it cost a minute of all cores. */
async function deliver(
  job: ProveJob,
  result: ProofResult,
  logger: Logger,
  options: ProveLoopOptions,
  modules: ProveLoopModules,
): Promise<void> {
  for (let failureCount = 0; !options.signal.aborted; ) {
    try {
      const isTaken = await modules.jobs.submitProof(job, result);
      modules.metrics?.proofs.inc({ result: isTaken ? "taken" : "useless" });
      if (!isTaken) logger.info("the sequencer has no use for the proof any more");
      return;
    } catch (error) {
      if (!isRollupError(error, "SRV_SEQUENCER_UNREACHABLE")) throw error;
      failureCount += 1;
      const waitMs = backoffMs(failureCount, options);
      logger.warn(
        { reason: error.message, failureCount, waitMs },
        "cannot deliver the proof, will try again",
      );
      await sleep(waitMs, options.signal);
    }
  }
}

function backoffMs(failureCount: number, { pollIntervalMs, maxBackoffMs }: ProveLoopOptions): number {
  return Math.min(maxBackoffMs, pollIntervalMs * 2 ** Math.min(failureCount, 30));
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {}); // aborted: the caller looks at the signal
}
