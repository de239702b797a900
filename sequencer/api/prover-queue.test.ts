/** A real sequencer, the dispatcher, provers and a real Redis; the proofs alone are made up. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createDispatchMetrics } from "../../prover/jobs/dispatch-metrics.ts";
import { Dispatcher } from "../../prover/jobs/dispatcher.ts";
import { connectRedis } from "../../prover/jobs/prove-queue.ts";
import { createQueueJobClient } from "../../prover/jobs/queue-jobs.ts";
import type { ProveJob, ProveJobClient } from "../../prover/jobs/sequencer-jobs.ts";
import type { ProofResult } from "../../prover/proving/prover.ts";
import { redisProgram, startRedis, type TestRedis } from "../../prover/testing/redis.fixtures.ts";
import {
  operatorHeaders,
  startTestRollup,
  type TestRollup,
  temporaryFolder,
} from "../testing/test-rollup.ts";

const program = redisProgram();
const logger = pino({ level: "silent" });
const LOCK_MS = 1_000;
const point: [bigint, bigint] = [1n, 2n];

let redis: TestRedis;
let rollup: TestRollup;
let folder: ReturnType<typeof temporaryFolder>;
let url: string;
let dispatcher: Dispatcher;
let connection: Redis;
let metrics: ReturnType<typeof createDispatchMetrics>;
const open: ProveJobClient[] = [];

/** A prover's side, with a worker's rights. */
async function prover(proverName: string): Promise<ProveJobClient> {
  const client = await createQueueJobClient(
    { queueUrl: redis.workerUrl, proverName, lockMs: LOCK_MS },
    { logger },
  );
  open.push(client);
  return client;
}

function proofOf(job: ProveJob): ProofResult {
  const { publicSignals } = rollup.sequencer.line.book.record(job.batchNumber)!;
  return {
    proof: { a: point, b: [point, point] as unknown as ProofResult["proof"]["b"], c: point },
    publicSignals: [...publicSignals],
    timings: { witnessMs: 1, proveMs: 2, verifyMs: 3 },
    backend: "made up",
  };
}

const statusOf = async (batchNumber: number) => (await rollup.sequencer.line.batch(batchNumber))?.status;

describe.skipIf(program === null)("the provers' queue", () => {
  beforeAll(async () => {
    redis = await startRedis(program!);
  });
  afterAll(() => redis.stop());

  beforeEach(async () => {
    const admin = new Redis(redis.url);
    await admin.flushall();
    admin.disconnect();
    folder = temporaryFolder();
    // Its deposits fill the first two batches.
    rollup = await startTestRollup({ dataPath: folder.path });
    url = await rollup.listen();
    connection = await connectRedis(redis.url, () => {});
    metrics = createDispatchMetrics();
    dispatcher = startDispatcher();
  });

  afterEach(async () => {
    for (const client of open.splice(0)) await client.close?.();
    await dispatcher.close();
    connection.disconnect();
    await rollup.stop();
    folder.remove();
  });

  const startDispatcher = (token = operatorHeaders.authorization.slice("Bearer ".length)) =>
    new Dispatcher(
      { sequencerUrl: url, operatorToken: token, pollIntervalMs: 10, maxBackoffMs: 50, targetMs: 1_000 },
      { redis: connection, logger, metrics },
    );

  test("carries a job from the sequencer to a prover, and the proof back", async () => {
    await dispatcher.look();
    const [first, second] = [await prover("a"), await prover("b")];
    const job = (await first.nextJob())!;
    expect(job.batchNumber).toBe(1);
    const own = await rollup.sequencer.line.proveJobOf(job.batchHash);
    const asText = (_key: string, value: unknown) =>
      ["bigint", "number"].includes(typeof value) ? `${value}` : value;
    expect(JSON.stringify(job.inputs, asText)).toBe(JSON.stringify(own!.inputs, asText));
    // The oldest first, to one prover each.
    expect((await second.nextJob())?.batchNumber).toBe(2);
    expect(await first.nextJob()).toBe(job);
    expect(await first.submitProof(job, proofOf(job))).toBe(true);
    await dispatcher.look();
    expect(await statusOf(1)).toBe("proven");
    expect(await metrics.registry.metrics()).toContain(
      'rollup_worker_proofs_total{worker="a",result="taken"} 1',
    );
    expect(await first.nextJob()).toBeNull();
  });

  test("gives the job of a killed prover to the next one that comes", async () => {
    await dispatcher.look();
    const args = ["--import", "tsx", "prover/testing/taking-prover.ts", redis.workerUrl, `${LOCK_MS}`];
    const killed = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const [taken] = (await once(killed.stdout, "data")) as [Buffer];
    const other = await prover("other");
    // It lives: longer than a lock lasts, nobody else gets its job.
    await delay(2 * LOCK_MS);
    const second = (await other.nextJob())!;
    expect(second.batchHash).not.toBe(taken.toString().trim());
    await other.submitProof(second, proofOf(second));
    expect(await other.nextJob()).toBeNull();
    killed.kill("SIGKILL");
    const job = await vi.waitFor(
      async () => {
        const found = await other.nextJob();
        expect(found).not.toBeNull();
        return found!;
      },
      { timeout: 10_000, interval: 50 },
    );
    expect(job.batchHash).toBe(taken.toString().trim());
    await other.submitProof(job, proofOf(job));
    await dispatcher.look();
    expect(await statusOf(1)).toBe("proven");
    expect(await statusOf(2)).toBe("proven");
  }, 30_000);

  test("takes a job away from its prover once the batch was closed anew", async () => {
    await dispatcher.look();
    const client = await prover("a");
    const job = (await client.nextJob())!;
    // Too old for L1: the same operations, a new timestamp.
    await rollup.post("/operator/l1-head", { blockNumber: 999, timestamp: 1_800_003_000 }, operatorHeaders);
    await vi.waitFor(async () =>
      expect((await rollup.sequencer.line.unprovenBatches())[0]?.batchHash).not.toBe(job.batchHash),
    );
    await dispatcher.look();
    expect(await client.nextJob()).toBeNull();
    await dispatcher.look();
    const again = (await client.nextJob())!;
    expect(again.batchNumber).toBe(job.batchNumber);
    expect(again.batchHash).not.toBe(job.batchHash);
  });

  test("sets a job aside after three failures, and tries again when told to", async () => {
    await dispatcher.look();
    const client = await prover("a");
    let other: ProveJob | null = null;
    for (let i = 0; i < 3; i++) {
      const job = await vi.waitFor(
        async () => {
          const found = await client.nextJob();
          expect(found).not.toBeNull();
          return found!;
        },
        { timeout: 10_000, interval: 50 },
      );
      expect(job.batchNumber).toBe(1);
      await client.giveUp!(job, new Error("no witness"));
      // The one behind it is there for others meanwhile.
      if (other === null) other = await (await prover("b")).nextJob();
    }
    expect(other?.batchNumber).toBe(2);
    await dispatcher.look();
    expect(await client.nextJob()).toBeNull();
    expect(await metrics.registry.metrics()).toContain('rollup_prove_jobs{state="aside"} 1');
    expect(await dispatcher.retryAside()).toBe(1);
    expect((await client.nextJob())?.batchNumber).toBe(1);
  }, 30_000);

  test("hands in what was proven while the dispatcher was away", async () => {
    await dispatcher.look();
    await dispatcher.close();
    const client = await prover("a");
    const job = (await client.nextJob())!;
    await client.submitProof(job, proofOf(job));
    dispatcher = startDispatcher();
    await dispatcher.look();
    expect(await statusOf(1)).toBe("proven");
  });

  test("refuses inputs that are not those of the job's hash", async () => {
    await dispatcher.look();
    for (const key of await connection.keys("openledger:inputs:*"))
      await connection.set(key, "something else");
    const client = await prover("a");
    await expect(client.nextJob()).rejects.toMatchObject({ code: "PRV_QUEUE_INPUTS_INVALID" });
  });

  test("gives a worker's credential no key and no command beyond the queue", async () => {
    const worker = new Redis(redis.workerUrl);
    for (const command of [
      ["SET", "other", "1"],
      ["FLUSHALL"],
      ["CONFIG", "GET", "*"],
      ["ACL", "LIST"],
      ["KEYS", "*"],
      ["SHUTDOWN"],
    ] as [string, ...string[]][])
      await expect(worker.call(...command)).rejects.toThrow("NOPERM");
    worker.disconnect();
    const wrong = redis.workerUrl.replace("worker-secret", "guessed");
    await expect(
      createQueueJobClient({ queueUrl: wrong, proverName: "x", lockMs: LOCK_MS }, { logger }),
    ).rejects.toMatchObject({ code: "PRV_QUEUE_UNREACHABLE" });
  }, 15_000);
});
