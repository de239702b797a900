/**
 * Prover whose proofs the queue's workers make. A job is named by its circuit and its inputs, and a proof
 * stays in the queue for a week: a caller that returns after a restart finds proofs that were delivered
 * meanwhile.
 */
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { type Job, Queue, QueueEvents } from "bullmq";
import type { Redis } from "ioredis";
import { verifyProof } from "../formats/verification-key.ts";
import type {
  OutsideProver,
  OutsideProverEvents,
  ProverLogger,
  QueueState,
} from "../process/outside-prover.ts";
import { proverError } from "../prover-errors.ts";
import type { CircuitInputs, ProofJob, ProofResult, ProveOptions, SignalValue } from "../proving/prover.ts";
import {
  cancelTask,
  connectRedis,
  dropInputs,
  hashOf,
  JOB_ENDS,
  KEY_PREFIX,
  MAX_ATTEMPTS,
  type ProveTask,
  packInputs,
  proveAnswerSchema,
  putInputs,
  QUEUE_NAME,
  revokeCancel,
} from "./prove-queue.ts";

/** Priority of jobs without one, after every batch: BullMQ has 2^21 priorities, the smallest first. */
const LAST_PRIORITY = 2 ** 21 - 1;
/** Life of proofs and of failed jobs: a week, as of inputs. */
const RETENTION_SECONDS = 7 * 86_400;
/** Interval of a caller's checks, because a queue reports neither a lost job nor lost inputs. */
const RECHECK_MS = 5_000;
const COUNT_MS = 2_000;
/** Maximum queued jobs: inputs lie in Redis' memory, and more need not wait there. */
const MAX_QUEUED = 64;

interface QueueProverOptions {
  /** redis:// or rediss://, with user and password. */
  readonly queueUrl: string;
  /**
   * True if a job that its caller aborts is cancelled at its worker. False if several callers may share a
   * job: a settlement's proof is as good for the next settler.
   */
  readonly cancelsAborted: boolean;
}

interface QueueProverModules extends OutsideProverEvents {
  readonly logger: ProverLogger;
}

/** @throws PRV_QUEUE_FAILED if Redis does not answer */
export async function createQueueProver(
  options: QueueProverOptions,
  modules: QueueProverModules,
): Promise<OutsideProver> {
  const { logger } = modules;
  const warn = (error: Error) => logger.warn({ reason: error.message }, "the queue's Redis");
  const redis = await connectRedis(options.queueUrl, warn);
  const queue = new Queue<ProveTask>(QUEUE_NAME, { connection: redis, prefix: KEY_PREFIX });
  const ends = new QueueEvents(QUEUE_NAME, { connection: { url: options.queueUrl }, prefix: KEY_PREFIX });
  queue.on("error", warn);
  ends.on("error", warn);
  await ends.waitUntilReady();
  return new QueueProver({ redis, queue, ends }, options, modules);
}

/** A job as the queue has it. */
interface JobRequest extends Pick<ProofJob, "circuit"> {
  readonly publicSignals: readonly bigint[] | undefined;
  readonly id: string;
  readonly inputsHash: string;
  readonly packed: Promise<Buffer>;
}

class QueueProver implements OutsideProver {
  readonly backend = "queue";
  readonly concurrency = MAX_QUEUED;
  readonly #redis: Redis;
  readonly #queue: Queue<ProveTask>;
  readonly #ends: QueueEvents;
  readonly #options: QueueProverOptions;
  readonly #modules: QueueProverModules;
  readonly #closing = new AbortController();
  readonly #counting: NodeJS.Timeout;
  #counts = { workerCount: 0, waitingCount: 0, activeCount: 0 };
  #failingCode: string | null = null;

  constructor(
    { ends, queue, redis }: { redis: Redis; queue: Queue<ProveTask>; ends: QueueEvents },
    options: QueueProverOptions,
    modules: QueueProverModules,
  ) {
    this.#redis = redis;
    this.#queue = queue;
    this.#ends = ends;
    this.#options = options;
    this.#modules = modules;
    this.#counting = setInterval(() => void this.#count().catch(() => {}), COUNT_MS).unref();
    void this.#count().catch(() => {});
  }

  get state(): QueueState {
    const isConnected = this.#redis.status === "ready";
    return {
      place: "queue",
      isReady: isConnected && this.#counts.workerCount > 0,
      ...this.#counts,
      failingCode: isConnected ? this.#failingCode : "PRV_QUEUE_FAILED",
    };
  }

  /**
   * Proves a job by the queue. Checks a worker's proof by the circuit's key, and by the public signals if
   * they are known.
   */
  prove({ circuit, inputs, publicSignals }: ProofJob, options: ProveOptions = {}): Promise<ProofResult> {
    const json = JSON.stringify(plainInputs(inputs!));
    const id = hashOf(`${circuit.contentHash} ${json}`);
    // The inputs of 64 jobs themselves would take a gigabyte.
    return this.#prove(
      { circuit, publicSignals, id, inputsHash: hashOf(json), packed: packInputs(json) },
      options,
    );
  }

  async #prove(request: JobRequest, options: ProveOptions): Promise<ProofResult> {
    const { id, inputsHash } = request;
    const closed = this.#closing.signal;
    const signal = options.signal === undefined ? closed : AbortSignal.any([closed, options.signal]);
    const startedAtMs = performance.now();
    options.onProgress?.({ stage: "witness", elapsedMs: 0 });
    try {
      await until(revokeCancel(this.#redis, id), signal);
      for (let attempt = 1; ; ) {
        const job = await until(this.#put(request, options), signal);
        try {
          const handed = await until(job.waitUntilFinished(this.#ends, RECHECK_MS), signal);
          const result = this.#read(request, handed);
          options.onProgress?.({ stage: "verify", elapsedMs: performance.now() - startedAtMs });
          this.#failingCode = null;
          await dropInputs(this.#redis, inputsHash);
          return result;
        } catch (error) {
          if (signal.aborted) throw error;
          const state = await until(job.getState(), signal);
          // It waits or is proven still; a job that is gone ("unknown") is put again, and so are its inputs.
          if (state !== "completed" && state !== "failed") continue;
          const reason = (error as Error).message;
          await job.remove().catch(() => {});
          // The inputs may be the fault.
          await dropInputs(this.#redis, inputsHash);
          const isNobodysFault = Object.values<string>(JOB_ENDS).includes(reason);
          if (!isNobodysFault && attempt++ >= MAX_ATTEMPTS) throw this.#failed(request, error as Error);
          const facts = { circuit: request.circuit.name, reason };
          this.#modules.logger.warn(facts, "the queue has no proof of a job; it is put again");
        }
      }
    } catch (error) {
      if (closed.aborted)
        throw proverError("PRV_CLOSED", "the prover was closed; the job stays in the queue", {
          cause: error,
        });
      if (!signal.aborted) throw error;
      if (this.#options.cancelsAborted) await this.#cancel(id, inputsHash).catch(() => {});
      throw proverError("PRV_CANCELLED", "no one waits for the proof any more", { cause: error });
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#counting);
    await this.#ends.close();
    await this.#queue.close();
    this.#redis.disconnect();
  }

  /** Adds a job. An existing job of this name stays as it is. */
  async #put(
    { circuit, id, inputsHash, packed }: JobRequest,
    { priority }: ProveOptions,
  ): Promise<Job<ProveTask>> {
    await putInputs(this.#redis, inputsHash, await packed);
    const task = { circuit: circuit.name, contentHash: circuit.contentHash, inputsHash };
    return this.#queue.add("prove", task, {
      jobId: id,
      priority: Math.min(LAST_PRIORITY, 1 + (priority ?? LAST_PRIORITY)),
      attempts: MAX_ATTEMPTS,
      backoff: { type: "exponential", delay: 1_000 },
      removeOnComplete: { age: RETENTION_SECONDS },
      removeOnFail: { age: RETENTION_SECONDS },
    });
  }

  /** Attack: every worker can write what is in the queue. @throws PRV_PROOF_INVALID */
  #read({ circuit, publicSignals: expectedSignals }: JobRequest, handed: unknown): ProofResult {
    const parsed = proveAnswerSchema.safeParse(handed);
    const worker = parsed.success ? parsed.data.worker : "unknown";
    const isRight =
      parsed.success &&
      (expectedSignals === undefined ||
        (expectedSignals.length === parsed.data.publicSignals.length &&
          expectedSignals.every((value, i) => value === parsed.data.publicSignals[i]))) &&
      verifyProof(circuit.verificationKey, parsed.data.proof, parsed.data.publicSignals);
    if (isRight) {
      const { backend, elapsedMs, proof, publicSignals, timings } = parsed.data;
      this.#modules.logger.info(
        { circuit: circuit.name, worker, backend, elapsedMs },
        "a worker's proof is taken",
      );
      return { backend, proof, publicSignals, timings };
    }
    this.#modules.onFalseProof?.(worker);
    throw proverError(
      "PRV_PROOF_INVALID",
      `the result of ${worker} for ${circuit.name} is not the proof that was asked for`,
      { data: { worker, circuit: circuit.name } },
    );
  }

  #failed({ circuit }: JobRequest, cause: Error): Error {
    this.#failingCode = "PRV_QUEUE_FAILED";
    return proverError(
      "PRV_QUEUE_FAILED",
      `no worker of the queue proves ${circuit.name}: ${cause.message}`,
      {
        data: { reason: "queue-job-failed", circuit: circuit.name },
        cause,
      },
    );
  }

  /** Cancels a job. A worker that is proving it releases it within seconds. */
  async #cancel(id: string, inputsHash: string): Promise<void> {
    await cancelTask(this.#redis, id);
    const job = await this.#queue.getJob(id);
    await job?.remove().catch(() => {});
    await dropInputs(this.#redis, inputsHash);
  }

  async #count(): Promise<void> {
    const counts = await this.#queue.getJobCounts("wait", "prioritized", "delayed", "active");
    this.#counts = {
      workerCount: (await this.#queue.getWorkers()).length,
      waitingCount: (counts.wait ?? 0) + (counts.prioritized ?? 0) + (counts.delayed ?? 0),
      activeCount: counts.active ?? 0,
    };
  }
}

const plainInputs = (inputs: CircuitInputs) =>
  Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, plain(value)]));

/** A value as JSON has it: decimal, below r. */
function plain(value: SignalValue): unknown {
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return Array.from(value as ArrayLike<SignalValue>, plain);
  const number = BigInt(value as bigint);
  return (((number % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER).toString();
}

function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
