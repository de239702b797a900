/** A prover's side of the queue: takes one job at a time, and shows that it lives as long as it has one. */
import { randomUUID } from "node:crypto";
import { proofJson } from "@openledger/circuits/wire/wire-fields";
import { hex32 } from "@openledger/foundation/hex";
import type { Logger } from "@openledger/foundation/logger";
import { type Job, UnrecoverableError, Worker } from "bullmq";
import { proverError } from "../prover-errors.ts";
import { type PlainAnswer, sealAnswer } from "./hand-in.ts";
import {
  connectRedis,
  getInputs,
  isCancelled,
  KEY_PREFIX,
  proveTaskSchema,
  QUEUE_NAME,
  requireConnected,
} from "./prove-queue.ts";
import { type ProveJob, type ProveJobClient, toInputs } from "./sequencer-jobs.ts";

interface QueueJobClientOptions {
  readonly queueUrl: string;
  readonly proverName: string;
  /** Hex, for this name alone (hand-in.ts); absent where hand-ins are not sealed. */
  readonly handInKey?: string | undefined;
  /** A prover that has not shown for so long that it lives loses its job to the next. */
  readonly lockMs: number;
}

/** The job that this prover holds. */
interface Held {
  readonly job: Job;
  readonly asked: ProveJob;
  readonly token: string;
  readonly startedAtMs: number;
}

/** @throws PRV_QUEUE_FAILED from every method where Redis is away; PRV_QUEUE_FAILED from nextJob */
export async function createQueueJobClient(
  { handInKey, lockMs, proverName, queueUrl }: QueueJobClientOptions,
  { logger }: { logger: Logger },
): Promise<ProveJobClient> {
  const redis = await connectRedis(queueUrl, (error) =>
    logger.warn({ reason: error.message }, "the queue's Redis"),
  );
  const worker = new Worker(QUEUE_NAME, null, {
    connection: redis,
    prefix: KEY_PREFIX,
    name: proverName,
    autorun: false,
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
    // A worker that dies twice with the same job may die of it.
    maxStalledCount: 2,
  });
  worker.on("error", (error) => logger.warn({ reason: error.message }, "the queue"));
  worker.on("stalled", (jobId) => logger.warn({ batchHash: jobId }, "a prover is gone; its job waits again"));
  await worker.startStalledCheckTimer();
  let held: Held | null = null;
  const heartbeat = setInterval(() => {
    const beating = held;
    beating?.job.extendLock(beating.token, lockMs).catch((error: Error) => {
      // Redis away is no loss: whether the job is still ours shows once it is back.
      if (redis.status !== "ready" || held !== beating) return;
      logger.warn({ batchHash: beating.asked.batchHash, reason: error.message }, "the job was taken over");
      held = null;
    });
  }, lockMs / 4);

  /** Nothing of a job that is another prover's by now may reach the queue. */
  const finish = async (what: (held: Held) => Promise<unknown>): Promise<void> => {
    const finished = held;
    held = null;
    if (finished === null) return;
    try {
      await what(finished);
    } catch (error) {
      logger.warn({ reason: (error as Error).message }, "the job belongs to another prover by now");
    }
  };

  return {
    async nextJob() {
      requireConnected(redis);
      if (held !== null) {
        if (await isCancelled(redis, held.asked.batchHash)) {
          await finish(({ job, token }) =>
            job.moveToFailed(new UnrecoverableError("the job was cancelled"), token),
          );
          return null;
        }
        return held.asked;
      }
      const token = randomUUID();
      const job = await worker.getNextJob(token, { block: false });
      if (job === undefined || job === null) return null;
      try {
        const { inputsHash, ...task } = proveTaskSchema.parse(job.data);
        const asked = { ...task, inputs: toInputs(await getInputs(redis, inputsHash)) };
        held = { job, asked, token, startedAtMs: performance.now() };
        return asked;
      } catch (cause) {
        await job.moveToFailed(cause as Error, token);
        throw proverError("PRV_QUEUE_FAILED", `job ${job.id} of the queue cannot be read`, {
          data: { reason: "queue-inputs-invalid" },
          cause,
        });
      }
    },

    async submitProof({ batchHash }, { backend, proof, publicSignals, timings }) {
      if (held === null || held.asked.batchHash !== batchHash) return false;
      await finish(({ job, startedAtMs, token }) => {
        const answer = {
          ...{ backend, timings, worker: proverName },
          elapsedMs: Math.round(performance.now() - startedAtMs),
          proof: proofJson(proof),
          publicSignals: publicSignals.map(hex32),
        } satisfies PlainAnswer;
        const handIn = handInKey === undefined ? answer : sealAnswer(answer, batchHash, handInKey);
        return job.moveToCompleted(handIn, token, false);
      });
      return true;
    },

    async giveUp({ batchHash }, error) {
      if (held?.asked.batchHash !== batchHash) return;
      await finish(({ job, token }) => job.moveToFailed(error, token));
    },

    async close() {
      // A prover that stops gives its job back at once.
      await finish(({ job, token }) => job.moveToWait(token));
      clearInterval(heartbeat);
      await worker.close();
      redis.disconnect();
    },
  };
}
