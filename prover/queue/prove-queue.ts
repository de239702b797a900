/**
 * Queue between provers' callers and workers on any number of machines: BullMQ on Redis or Valkey. A job names
 * its inputs by their hash; the inputs lie beside the queue, compressed, and are checked when read.
 * queue-prover.ts puts jobs, queue-worker.ts takes them.
 */
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { elementOrDecimal, proof } from "@openledger/circuits/wire/wire-fields";
import { ONE_DAY_MS } from "@openledger/foundation/settings";
import { Redis } from "ioredis";
import { z } from "zod";
import { proverError } from "../prover-errors.ts";

/** Prefix of the queue's Redis keys. A worker's Redis user needs `~openledger:*` and nothing else. */
export const KEY_PREFIX = "openledger";
export const QUEUE_NAME = "prove";

/** Maximum attempts of a job. After the last failure its caller gets the error. */
export const MAX_ATTEMPTS = 3;
/** Maximum life of inputs. They are deleted with their job, or after this time. */
const INPUTS_TTL_SECONDS = 7 * 86_400;
/** Maximum bytes of a job's inputs. A batch of 256 operations has about 10 MB. */
const MAX_INPUT_BYTES = 512 * 1024 * 1024;
/** Life of a cancellation. A worker looks for it every few seconds. */
const CANCELLED_TTL_SECONDS = 3_600;
const CONNECT_TIMEOUT_MS = 10_000;

export const proveTaskSchema = z.strictObject({
  circuit: z.string().max(200),
  /** Hash of the circuit. A worker with other keys of the same name is of no use. */
  contentHash: z.string().max(200),
  /** SHA-256 of the inputs as JSON. */
  inputsHash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ProveTask = z.output<typeof proveTaskSchema>;

/** A stage of a proof: thirty days. Any worker may write it. */
const MAX_TIMING_MS = 30 * ONE_DAY_MS;
const timing = z.number().nonnegative().max(MAX_TIMING_MS);

/** Answer of a worker: a proof, and its maker. */
export const proveAnswerSchema = z.strictObject({
  backend: z.string().max(100),
  proof,
  publicSignals: z.array(elementOrDecimal).max(100),
  timings: z.strictObject({ witnessMs: timing, proveMs: timing, verifyMs: timing }),
  worker: z.string().max(100),
  elapsedMs: timing,
});
/** Answer as a worker writes it: text before parsing. */
export type WrittenAnswer = z.input<typeof proveAnswerSchema>;

/** Reasons of a job's failure that are neither the worker's fault nor the circuit's. */
export const JOB_ENDS = {
  inputsMissing: "the job's inputs are missing",
  inputsInvalid: "the job's inputs are not those of its hash",
  cancelled: "the job was cancelled",
} as const;

/** @throws PRV_QUEUE_FAILED if Redis does not answer, or does not take the credential, within ten seconds */
export async function connectRedis(url: string, onError: (error: Error) => void): Promise<Redis> {
  // BullMQ asks for no limit of retries: its commands wait until Redis is back.
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  let reason = `no answer within ${CONNECT_TIMEOUT_MS} ms`;
  redis.on("error", (error) => {
    reason = error.message;
    onError(error);
  });
  const timeout = new AbortController();
  try {
    const late = delay(CONNECT_TIMEOUT_MS, undefined, { signal: timeout.signal }).then(() => {
      throw new Error(reason);
    });
    await Promise.race([redis.exists(`${KEY_PREFIX}:here`), late]);
    return redis;
  } catch (cause) {
    redis.disconnect();
    throw proverError("PRV_QUEUE_FAILED", `the queue's Redis: ${(cause as Error).message}`, {
      data: { reason: "queue-unreachable" },
      cause,
    });
  } finally {
    timeout.abort();
  }
}

const inputsSchema = z.record(z.string(), z.unknown());
const inputsKey = (hash: string) => `${KEY_PREFIX}:inputs:${hash}`;
const cancelledKey = (jobId: string) => `${KEY_PREFIX}:cancelled:${jobId}`;

export const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

export const packInputs = (json: string): Promise<Buffer> => promisify(gzip)(json, { level: 1 });

/**
 * Stores packed inputs beside the queue, or extends the life of those already there. @param hash of their
 * JSON
 */
export async function putInputs(redis: Redis, hash: string, packed: Buffer): Promise<void> {
  if ((await redis.expire(inputsKey(hash), INPUTS_TTL_SECONDS)) === 1) return;
  await redis.set(inputsKey(hash), packed, "EX", INPUTS_TTL_SECONDS);
}

/** @returns why there are none, where they are gone or are not those of the hash */
export async function getInputs(
  redis: Redis,
  hash: string,
): Promise<{ readonly inputs: Record<string, unknown> } | { readonly problem: string }> {
  const packed = await redis.getBuffer(inputsKey(hash));
  if (packed === null) return { problem: JOB_ENDS.inputsMissing };
  try {
    const text = (await promisify(gunzip)(packed, { maxOutputLength: MAX_INPUT_BYTES })).toString("utf8");
    if (hashOf(text) === hash) return { inputs: inputsSchema.parse(JSON.parse(text)) };
  } catch {
    // Anyone who may write there can write anything.
  }
  return { problem: JOB_ENDS.inputsInvalid };
}

export async function dropInputs(redis: Redis, hash: string): Promise<void> {
  await redis.del(inputsKey(hash));
}

/** Cancels a job: tells its worker that nobody needs the proof any more. */
export async function cancelTask(redis: Redis, jobId: string): Promise<void> {
  await redis.set(cancelledKey(jobId), "1", "EX", CANCELLED_TTL_SECONDS);
}

/** Revokes a job's cancellation. */
export async function revokeCancel(redis: Redis, jobId: string): Promise<void> {
  await redis.del(cancelledKey(jobId));
}

export async function isCancelled(redis: Redis, jobId: string): Promise<boolean> {
  return (await redis.exists(cancelledKey(jobId))) === 1;
}
