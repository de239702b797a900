/**
 * Keeps the queue equal to what the sequencer wants: each batch without a proof is a job, each job that nobody wants any
 * more is taken away, each proof is handed in. Every look compares both sides again, so it does not matter where the last
 * one was cut off, or whether the sequencer, Redis or a worker was away.
 *
 * L1 takes batches in their order alone. So the oldest batch goes first, and with it whatever overdue entries of L1's queue
 * a batch has: nothing behind it could be posted before it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { proveJobAnswer, unprovenBatchesAnswer } from "@openledger/circuits/wire/operator-api";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { askSequencer, type SequencerEndpoint } from "@openledger/foundation/wire/sequencer-request";
import { type Job, Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { z } from "zod";
import { countWorkerProof, type DispatchMetrics } from "./dispatch-metrics.ts";
import { openHandIn } from "./hand-in.ts";
import type { ProofCredits } from "./proof-credits.ts";
import {
  attemptsSpent,
  cancelTask,
  dropInputs,
  forgiveAttempts,
  KEY_PREFIX,
  MAX_ATTEMPTS,
  type ProveTask,
  proveTaskSchema,
  putInputs,
  QUEUE_NAME,
  requireConnected,
  spendAttempts,
} from "./prove-queue.ts";
import { postProof, toError } from "./sequencer-jobs.ts";

interface DispatcherOptions extends SequencerEndpoint {
  readonly pollIntervalMs: number;
  readonly maxBackoffMs: number;
  /** Within how long what waits should be proven. */
  readonly targetMs: number;
  /** From which workers' keys follow (hand-in.ts); null where workers have none. */
  readonly handInSecret: string | null;
  /** Where it is written down whose proofs were taken, by their keys and not by their words; absent for nowhere. */
  readonly credits?: ProofCredits | undefined;
}

interface DispatcherModules {
  readonly redis: Redis;
  readonly logger: Logger;
  readonly metrics: DispatchMetrics;
}

type Unproven = z.output<typeof unprovenBatchesAnswer>[number];

/** Their inputs lie in Redis' memory; more than that need not wait there. */
const MAX_QUEUED = 64;
const BATCH_JOB = "batch";
/** BullMQ knows 2^21 priorities, the smallest first. */
const PRIORITIES = 2 ** 20;
/** Who nobody knows by a key. */
const UNPROVEN = "unproven";
/** Weight of the newest proof in the mean of what one takes. */
const NEWEST = 0.2;

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #modules: DispatcherModules;
  readonly #queue: Queue<ProveTask>;
  /** Jobs that were said to be set aside. */
  readonly #aside = new Set<string>();
  /** Batches that are no jobs, since false proofs have spent their attempts. */
  readonly #withheld = new Set<string>();
  #meanProofMs: number | null = null;

  constructor(options: DispatcherOptions, modules: DispatcherModules) {
    this.#options = options;
    this.#modules = modules;
    this.#queue = new Queue(QUEUE_NAME, { connection: modules.redis, prefix: KEY_PREFIX });
    this.#queue.on("error", (error) => modules.logger.warn({ reason: error.message }, "the queue"));
  }

  /** Goes on whatever happens, with longer and longer waits. */
  async run(signal: AbortSignal, onFailing: (code: string | null) => void = () => {}): Promise<void> {
    const { maxBackoffMs, pollIntervalMs } = this.#options;
    const { logger, metrics } = this.#modules;
    for (let failureCount = 0; !signal.aborted; ) {
      let waitMs = pollIntervalMs;
      try {
        await this.look();
        failureCount = 0;
        onFailing(null);
      } catch (error) {
        failureCount += 1;
        waitMs = Math.min(maxBackoffMs, pollIntervalMs * 2 ** Math.min(failureCount, 30));
        const code = isRollupError(error) ? error.code : "OTHER";
        metrics.errors.inc({ code });
        onFailing(code);
        logger.warn({ err: error, code, failureCount, waitMs }, "failed, will try again");
      }
      await delay(waitMs, undefined, { signal }).catch(() => {});
    }
  }

  /**
   * One comparison of both sides.
   * @throws PRV_QUEUE_FAILED, SRV_SEQUENCER_UNREACHABLE, SRV_SEQUENCER_REFUSED, SRV_CONFIG_INVALID
   */
  async look(): Promise<void> {
    requireConnected(this.#modules.redis);
    const path = "/operator/prove-jobs?prover=dispatcher";
    const { failure, value } = await askSequencer(this.#options, { path }, unprovenBatchesAnswer);
    if (failure !== null) throw toError(failure);
    await this.#removeUnwanted(new Set(value.map(({ batchHash }) => batchHash)));
    for (const batch of value.slice(0, MAX_QUEUED)) await this.#lookAt(batch);
    await this.#measure(value);
  }

  /** Puts jobs that were set aside back into the line. @returns how many */
  async retryAside(): Promise<number> {
    const failed = await this.#queue.getFailed();
    for (const job of failed) await job.retry("failed", { resetAttemptsMade: true });
    this.#aside.clear();
    const withheld = [...this.#withheld];
    for (const batchHash of withheld) await forgiveAttempts(this.#modules.redis, batchHash);
    this.#withheld.clear();
    return failed.length + withheld.length;
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  async #lookAt(batch: Unproven): Promise<void> {
    const job = await this.#queue.getJob(batch.batchHash);
    if (job === undefined) return this.#add(batch);
    const state = await job.getState();
    if (state === "completed") return this.#handIn(job, batch);
    if (state === "failed") this.#sayAside(batch, job.failedReason, job.attemptsMade);
  }

  #sayAside({ batchHash, batchNumber }: Unproven, reason: string, attempts: number): void {
    if (this.#aside.has(batchHash)) return;
    this.#aside.add(batchHash);
    this.#modules.logger.error(
      { batchNumber, reason, attempts },
      "job set aside: it failed too often, and a human has to look",
    );
  }

  async #add(batch: Unproven): Promise<void> {
    const { batchHash, batchNumber, circuit } = batch;
    const spent = await attemptsSpent(this.#modules.redis, batchHash);
    if (spent >= MAX_ATTEMPTS) {
      this.#withheld.add(batchHash);
      return this.#sayAside(batch, "its workers handed in what is no proof", spent);
    }
    const path = `/operator/prove-jobs/${batchHash}`;
    const { failure, value } = await askSequencer(this.#options, { path }, proveJobAnswer.nullable());
    if (failure !== null) throw toError(failure);
    // Rebuilt or proven since the list was made.
    if (value === null) return;
    const inputsHash = await putInputs(this.#modules.redis, JSON.stringify(value.inputs));
    await this.#queue.add(
      BATCH_JOB,
      { batchHash, batchNumber, circuit, inputsHash },
      {
        jobId: batchHash,
        priority: 1 + (batchNumber % PRIORITIES),
        attempts: MAX_ATTEMPTS - spent,
        backoff: { type: "exponential", delay: 1_000 },
      },
    );
    this.#modules.logger.info({ batchNumber, circuit }, "job queued");
  }

  /** Attack: all workers can write what is in the queue, so that nothing but `batch` is known of the job. */
  async #handIn(job: Job<ProveTask>, { batchHash, batchNumber }: Unproven): Promise<void> {
    const { logger, metrics, redis } = this.#modules;
    const { credits, handInSecret } = this.#options;
    let worker = UNPROVEN;
    try {
      const { answer, body, provenWorker } = openHandIn(job.returnvalue, batchHash, handInSecret);
      // Without keys a name is its worker's word: good enough for figures.
      worker = provenWorker ?? (handInSecret === null ? answer.worker : UNPROVEN);
      const { elapsedMs } = answer;
      const isTaken = await postProof(this.#options, batchNumber, { ...body, batchHash });
      countWorkerProof(metrics, worker, isTaken ? "taken" : "useless");
      if (isTaken) {
        if (provenWorker !== null) credits?.add({ batchHash, batchNumber, worker, atMs: Date.now() });
        metrics.proofSeconds.inc({ worker }, elapsedMs / 1_000);
        const mean = this.#meanProofMs ?? elapsedMs;
        this.#meanProofMs = mean + NEWEST * (elapsedMs - mean);
        logger.info({ batchNumber, worker, elapsedMs }, "proof handed in");
      }
    } catch (error) {
      const isUnproven = isRollupError(error, "PRV_HAND_IN_UNPROVEN");
      if (!isUnproven && !isRollupError(error, "PRV_PROOF_INVALID")) throw error;
      // It becomes a new job with the next look, with as many attempts as are left.
      await spendAttempts(redis, batchHash, Math.max(1, job.attemptsMade));
      countWorkerProof(metrics, worker, "invalid");
      metrics.errors.inc({ code: error.code });
      const facts = { batchNumber, worker, code: error.code, reason: error.message };
      logger.error(facts, isUnproven ? "a hand-in cannot be opened" : "a worker handed in a false proof");
    }
    await this.#remove(job);
  }

  async #removeUnwanted(wanted: ReadonlySet<string>): Promise<void> {
    for (const batchHash of this.#withheld) if (!wanted.has(batchHash)) this.#withheld.delete(batchHash);
    for (const job of await this.#queue.getJobs()) {
      // Settlers' jobs are not its own.
      if (job?.id === undefined || job.name !== BATCH_JOB || wanted.has(job.id)) continue;
      // A job that is being proven is its worker's; it is removed once the worker has let go of it.
      if (await job.isActive()) await cancelTask(this.#modules.redis, job.id);
      else await this.#remove(job);
    }
  }

  async #remove(job: Job<ProveTask>): Promise<void> {
    const task = proveTaskSchema.safeParse(job.data);
    // Taken by a worker in this moment: the next look finds it again.
    const isGone = await job.remove().then(
      () => true,
      () => false,
    );
    if (isGone && task.success) await dropInputs(this.#modules.redis, task.data.inputsHash);
    if (isGone) this.#aside.delete(`${job.id}`);
  }

  async #measure(unproven: readonly Unproven[]): Promise<void> {
    const { metrics } = this.#modules;
    const counts = await this.#queue.getJobCounts("wait", "prioritized", "delayed", "active", "failed");
    const waiting = (counts.wait ?? 0) + (counts.prioritized ?? 0) + (counts.delayed ?? 0);
    const active = counts.active ?? 0;
    metrics.jobs.set({ state: "waiting" }, waiting);
    metrics.jobs.set({ state: "active" }, active);
    metrics.jobs.set({ state: "aside" }, (counts.failed ?? 0) + this.#withheld.size);
    const oldestMs = unproven[0] === undefined ? 0 : Date.now() - unproven[0].closedAtMs;
    metrics.oldestSeconds.set(Math.max(0, oldestMs) / 1_000);
    metrics.workers.set((await this.#queue.getWorkers()).length);
    const perTarget = this.#options.targetMs / (this.#meanProofMs ?? this.#options.targetMs);
    metrics.workersWanted.set(Math.ceil((waiting + active) / perTarget));
  }
}
