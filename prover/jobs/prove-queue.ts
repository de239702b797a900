/**
 * The queue between the dispatcher, which talks to the sequencer, and provers on any number of machines: BullMQ on Redis or
 * Valkey. A job names its inputs by their hash; the inputs lie beside the queue, compressed, and are checked when read.
 */
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { MAX_TIMING_MS, proofBody, unprovenBatchesAnswer } from "@openledger/circuits/wire/operator-api";
import { Redis } from "ioredis";
import { z } from "zod";
import { proverError } from "../prover-errors.ts";

/** Every key of the queue begins with it: a worker's user of Redis needs `~openledger:*` and nothing else. */
export const KEY_PREFIX = "openledger";
export const QUEUE_NAME = "prove";

/** After so many failures a job is set aside, for a human. */
export const MAX_ATTEMPTS = 3;
/** Inputs are deleted with their job; after this in any case. */
const INPUTS_TTL_SECONDS = 7 * 86_400;
/** Of a batch of 256 operations they are about 10 MB. */
const MAX_INPUT_BYTES = 512 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;

export const proveTaskSchema = unprovenBatchesAnswer.element.omit({ closedAtMs: true }).extend({
  /** 0 of a settler's job, which is of no batch. */
  batchNumber: z.int().nonnegative(),
  /** SHA-256 of the inputs as JSON. */
  inputsHash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ProveTask = z.output<typeof proveTaskSchema>;

/** What a worker hands back: the proof as the sequencer takes it, and who made it. */
export const proveAnswerSchema = z.strictObject({
  ...proofBody.omit({ batchHash: true }).shape,
  worker: z.string().max(100),
  elapsedMs: z.number().nonnegative().max(MAX_TIMING_MS),
});
export type ProveAnswer = z.output<typeof proveAnswerSchema>;

/** @throws PRV_QUEUE_FAILED where Redis does not answer, or does not take the credential, within ten seconds */
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

/** @throws PRV_QUEUE_FAILED instead of waiting for it */
export function requireConnected(redis: Redis): void {
  if (redis.status !== "ready")
    throw proverError("PRV_QUEUE_FAILED", `the queue's Redis: ${redis.status}`, {
      data: { reason: "queue-unreachable" },
    });
}

const inputsKey = (hash: string) => `${KEY_PREFIX}:inputs:${hash}`;
const falseKey = (batchHash: string) => `${KEY_PREFIX}:false:${batchHash}`;
const cancelledKey = (batchHash: string) => `${KEY_PREFIX}:cancelled:${batchHash}`;

/** @returns the name of the inputs */
export async function putInputs(redis: Redis, json: string): Promise<string> {
  const hash = createHash("sha256").update(json).digest("hex");
  const packed = await promisify(gzip)(json, { level: 1 });
  await redis.set(inputsKey(hash), packed, "EX", INPUTS_TTL_SECONDS);
  return hash;
}

/** @throws PRV_QUEUE_FAILED where they are gone, or are not those of the hash */
export async function getInputs(redis: Redis, hash: string): Promise<Record<string, unknown>> {
  const packed = await redis.getBuffer(inputsKey(hash));
  const refuse = (why: string, cause?: unknown) =>
    proverError("PRV_QUEUE_FAILED", `inputs ${hash.slice(0, 12)}… ${why}`, {
      data: { reason: "queue-inputs-invalid", hash },
      cause,
    });
  if (packed === null) throw refuse("are not in the queue's store");
  let json: Buffer;
  try {
    json = await promisify(gunzip)(packed, { maxOutputLength: MAX_INPUT_BYTES });
  } catch (cause) {
    throw refuse("do not unpack", cause);
  }
  if (createHash("sha256").update(json).digest("hex") !== hash) throw refuse("have another hash");
  return z.record(z.string(), z.unknown()).parse(JSON.parse(json.toString("utf8")));
}

export async function dropInputs(redis: Redis, hash: string): Promise<void> {
  await redis.del(inputsKey(hash));
}

/** Attempts that ended with something that is no proof; their job is gone. */
export async function attemptsSpent(redis: Redis, batchHash: string): Promise<number> {
  return Number((await redis.get(falseKey(batchHash))) ?? 0);
}

/** @returns attempts spent by now */
export async function spendAttempts(redis: Redis, batchHash: string, count: number): Promise<number> {
  const spent = await redis.incrby(falseKey(batchHash), count);
  await redis.expire(falseKey(batchHash), INPUTS_TTL_SECONDS);
  return spent;
}

export async function forgiveAttempts(redis: Redis, batchHash: string): Promise<void> {
  await redis.del(falseKey(batchHash));
}

/** Tells the one who proves it that nobody wants the proof any more. */
export async function cancelTask(redis: Redis, batchHash: string): Promise<void> {
  await redis.set(cancelledKey(batchHash), "1", "EX", 3_600);
}

export async function isCancelled(redis: Redis, batchHash: string): Promise<boolean> {
  return (await redis.exists(cancelledKey(batchHash))) === 1;
}
