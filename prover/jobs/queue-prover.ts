/**
 * A prover that has the queue's workers make its proofs: a settler's, whose proofs no sequencer asks for. A job is named by its
 * circuit and its inputs, so who asks again after a restart finds the proofs that were made meanwhile.
 */
import { createHash } from "node:crypto";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { type Environment, redisUrl } from "@openledger/foundation/settings";
import { Queue, QueueEvents } from "bullmq";
import { verifyProof } from "../formats/verification-key.ts";
import { proverError } from "../prover-errors.ts";
import type { ProofJob, ProofResult, ProveOptions, Prover, SignalValue } from "../proving/prover.ts";
import { handInKeyText, openHandIn } from "./hand-in.ts";
import {
  connectRedis,
  dropInputs,
  KEY_PREFIX,
  MAX_ATTEMPTS,
  type ProveTask,
  putInputs,
  QUEUE_NAME,
} from "./prove-queue.ts";

/** Jobs of this name are the settlers'; the dispatcher keeps its own only. */
const SETTLEMENT_JOB = "settlement";
/** Behind every batch: BullMQ knows 2^21 priorities. */
const PRIORITY = 2 ** 21 - 1;
/** Jobs whose settler never comes back go after a week, as their inputs do. */
const KEPT_SECONDS = 7 * 86_400;
/** A queue that has lost a job says nothing of it. */
const LOOK_AGAIN_MS = 30_000;

/**
 * The queue of a settler's environment: PROVER_QUEUE as provers have it, and DISPATCHER_HAND_IN_SECRET where workers seal; null for
 * none, and then proofs are made where they are asked for.
 * @throws SRV_CONFIG_INVALID
 */
export async function openQueueProver(
  environment: Environment,
  modules: Parameters<typeof createQueueProver>[1],
): Promise<Prover | null> {
  const queue = redisUrl.optional().safeParse(environment.PROVER_QUEUE);
  const secret = handInKeyText.optional().safeParse(environment.DISPATCHER_HAND_IN_SECRET);
  if (!queue.success || !secret.success) {
    const env = queue.success ? "DISPATCHER_HAND_IN_SECRET" : "PROVER_QUEUE";
    const problem = queue.success ? "is not 64 hex digits" : "is no redis:// or rediss:// address";
    throw proverError("SRV_CONFIG_INVALID", `${env} ${problem}`, { data: { problems: [{ env, problem }] } });
  }
  if (queue.data === undefined) return null;
  return createQueueProver(
    { queueUrl: queue.data.reveal(), handInSecret: secret.data?.reveal() ?? null },
    modules,
  );
}

interface QueueProverOptions {
  /** redis:// or rediss://, with user and password. */
  readonly queueUrl: string;
  /** The dispatcher's, where workers seal what they hand in; else null. */
  readonly handInSecret: string | null;
}

/** @throws PRV_QUEUE_FAILED where Redis does not answer */
export async function createQueueProver(
  { handInSecret, queueUrl }: QueueProverOptions,
  { logger }: { readonly logger: { warn(facts: object, message: string): void } },
): Promise<Prover> {
  const warn = (error: Error) => logger.warn({ reason: error.message }, "the queue's Redis");
  const redis = await connectRedis(queueUrl, warn);
  const queue = new Queue<ProveTask>(QUEUE_NAME, { connection: redis, prefix: KEY_PREFIX });
  const ends = new QueueEvents(QUEUE_NAME, { connection: { url: queueUrl }, prefix: KEY_PREFIX });
  queue.on("error", warn);
  ends.on("error", warn);
  await ends.waitUntilReady();
  const closing = new AbortController();

  /**
   * Of one job of the queue; what a worker hands in is checked here. A job stays when nobody waits: the next turn, or another
   * settler of the same epoch, asks for the same one. Nothing is cancelled, since a cancelled name would stay so for an hour.
   */
  async function prove(
    { circuit, inputs, publicSignals: wanted }: ProofJob,
    options: ProveOptions = {},
  ): Promise<ProofResult> {
    const signal = AbortSignal.any([
      closing.signal,
      ...(options.signal === undefined ? [] : [options.signal]),
    ]);
    const startedAtMs = performance.now();
    const json = JSON.stringify(Object.fromEntries(Object.entries(inputs!).map(([k, v]) => [k, plain(v)])));
    const id = createHash("sha256").update(`${circuit.contentHash} ${json}`).digest("hex");
    options.onProgress?.({ stage: "witness", elapsedMs: 0 });
    for (let attempt = 1; ; ) {
      const inputsHash = await putInputs(redis, json);
      const task = { batchHash: id, batchNumber: 0, circuit: circuit.name, inputsHash };
      const job = await queue.add(SETTLEMENT_JOB, task, {
        ...{ jobId: id, priority: PRIORITY, attempts: MAX_ATTEMPTS },
        ...{ removeOnComplete: { age: KEPT_SECONDS }, removeOnFail: { age: KEPT_SECONDS } },
        backoff: { type: "exponential", delay: 1_000 },
      });
      try {
        const handed = await until(job.waitUntilFinished(ends, LOOK_AGAIN_MS), signal);
        const { answer } = openHandIn(handed, id, handInSecret);
        const { backend, proof, publicSignals } = answer;
        const isWanted = wanted?.every((value, i) => value === publicSignals[i]) ?? true;
        if (!isWanted || !verifyProof(circuit.verificationKey, proof, publicSignals))
          throw proverError(
            "PRV_PROOF_INVALID",
            `what ${answer.worker} handed in for ${circuit.name} is not the proof that was asked for`,
          );
        const elapsedMs = performance.now() - startedAtMs;
        options.onProgress?.({ stage: "verify", elapsedMs });
        const { proveMs = 0, verifyMs = 0, witnessMs = 0 } = answer.timings;
        const result = { backend, proof, publicSignals, timings: { proveMs, verifyMs, witnessMs } };
        // Another settler may have taken it away.
        await job.remove().catch(() => {});
        await dropInputs(redis, inputsHash);
        return result;
      } catch (error) {
        if (signal.aborted)
          throw proverError("PRV_CANCELLED", "no one waits for the proof any more", { cause: error });
        const state = await job.getState();
        // It waits or is proven still; a job that is gone ("unknown") is added again.
        if (state !== "completed" && state !== "failed") continue;
        await job.remove().catch(() => {});
        if (attempt++ >= MAX_ATTEMPTS) throw failed(circuit.name, error as Error);
        logger.warn(
          { reason: (error as Error).message, circuit: circuit.name },
          "a worker failed; asked again",
        );
      }
    }
  }

  return {
    backend: "queue",
    prove,
    async close() {
      closing.abort();
      await ends.close();
      await queue.close();
      redis.disconnect();
    },
  };
}

const failed = (circuit: string, cause: Error) =>
  proverError("PRV_QUEUE_FAILED", `no worker of the queue proves ${circuit}: ${cause.message}`, {
    data: { reason: "queue-job-failed", circuit },
    cause,
  });

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
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
