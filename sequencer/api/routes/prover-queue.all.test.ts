/** A real sequencer, the dispatcher, provers and a real Redis; the proofs alone are made up. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { transfer } from "@openledger/client/actions/ledger/account-operations";
import type { SignedSubmission } from "@openledger/client/actions/ledger/send-operation";
import { createLogger } from "@openledger/foundation/logger";
import { paymentMetrics, payProvers, reportWorkers } from "@openledger/operations/payments/pay-provers";
import { PaymentJournal } from "@openledger/operations/payments/payment-journal";
import { createDispatchMetrics } from "@openledger/prover/jobs/dispatch-metrics";
import { Dispatcher } from "@openledger/prover/jobs/dispatcher";
import { handInKeyOf, openHandIn } from "@openledger/prover/jobs/hand-in";
import { ProofCredits } from "@openledger/prover/jobs/proof-credits";
import { connectRedis } from "@openledger/prover/jobs/prove-queue";
import { createQueueJobClient } from "@openledger/prover/jobs/queue-jobs";
import type { ProveJob, ProveJobClient } from "@openledger/prover/jobs/sequencer-jobs";
import type { ProofResult } from "@openledger/prover/proving/prover";
import { redisProgram, startRedis, type TestRedis } from "@openledger/prover/testing/redis.fixtures";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clientOf } from "../../testing/client-of.ts";
import {
  ONE_OPEN_WEI,
  operatorHeaders,
  startTestRollup,
  TEST_ROLLUP,
  type TestRollup,
  temporaryFolder,
  testUser,
} from "../../testing/test-rollup.ts";

const program = redisProgram();
const logger = createLogger("test", "silent");
/** So long that nobody loses a job because the machine was busy. */
const LOCK_MS = 30_000;
/** Where a test waits for a lock to end. */
const SHORT_LOCK_MS = 2_500;
const HAND_IN_SECRET = "5e".repeat(32);
const keyOf = (worker: string) => handInKeyOf(HAND_IN_SECRET, worker);
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
async function prover(
  proverName: string,
  options: { lockMs?: number; handInKey?: string } = {},
): Promise<ProveJobClient> {
  const client = await createQueueJobClient(
    { queueUrl: redis.workerUrl, proverName, lockMs: LOCK_MS, ...options },
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

/** A job that comes in time: its lock has to end, or a failure's pause. */
async function soonNext(client: ProveJobClient): Promise<ProveJob> {
  let job: ProveJob | null = null;
  const isThere = async () => {
    job = await client.nextJob();
    return job !== null;
  };
  await expect.poll(isThere).toBe(true);
  return job!;
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

  const startDispatcher = (
    token = operatorHeaders.authorization.slice("Bearer ".length),
    credits?: ProofCredits,
  ) =>
    new Dispatcher(
      {
        sequencerUrl: url,
        operatorToken: token,
        pollIntervalMs: 10,
        maxBackoffMs: 50,
        targetMs: 1_000,
        handInSecret: credits === undefined ? null : HAND_IN_SECRET,
        credits,
      },
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
    const args = ["--import", "tsx", "prover/testing/taking-prover.ts", redis.workerUrl, `${SHORT_LOCK_MS}`];
    const killed = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const [taken] = (await once(killed.stdout, "data")) as [Buffer];
    const other = await prover("other", { lockMs: SHORT_LOCK_MS });
    // It lives: longer than a lock lasts, nobody else gets its job.
    await delay(1.5 * SHORT_LOCK_MS);
    const second = (await other.nextJob())!;
    expect(second.batchHash).not.toBe(taken.toString().trim());
    await other.submitProof(second, proofOf(second));
    expect(await other.nextJob()).toBeNull();
    killed.kill("SIGKILL");
    const job = await soonNext(other);
    expect(job.batchHash).toBe(taken.toString().trim());
    await other.submitProof(job, proofOf(job));
    await dispatcher.look();
    expect(await statusOf(1)).toBe("proven");
    expect(await statusOf(2)).toBe("proven");
  });

  test("pays each proof that was taken once, over kills of dispatcher and payer, and no more than a day may cost", async () => {
    const [creditsPath, journalPath] = [join(folder.path, "credits"), join(folder.path, "paid")];
    await dispatcher.close();
    dispatcher = startDispatcher(undefined, new ProofCredits(creditsPath));
    await dispatcher.look();
    for (const name of ["paid", "unknown"]) {
      const client = await prover(name, { handInKey: keyOf(name) });
      const job = (await client.nextJob())!;
      await client.submitProof(job, proofOf(job));
    }
    await dispatcher.look();
    await dispatcher.look();
    // A kill has cut the last line off.
    appendFileSync(creditsPath, '{"batchHash":"0x');
    const credits = new ProofCredits(creditsPath).all;
    expect(credits.map(({ batchNumber, worker }) => [batchNumber, worker])).toEqual([
      [1, "paid"],
      [2, "unknown"],
    ]);
    const [payer, worker] = [testUser(0), testUser(1)];
    const client = await clientOf(url, payer);
    const price = ONE_OPEN_WEI / 2n;
    const options = {
      ...{ weiPerProof: price, maxWeiPerDay: price, nowMs: 86_400_000 * 20_000 },
      accounts: { paid: { leaf: worker.id }, other: { leaf: worker.id } },
    };
    const balance = async () => BigInt((await rollup.get(`/v1/leaves/${worker.id}`)).body.balanceWei);
    const before = await balance();
    const pay = (extra: Partial<typeof options> = {}, all = credits) =>
      payProvers(client, all, new PaymentJournal(journalPath, TEST_ROLLUP), { ...options, ...extra });
    // Killed between the journal's line and the transfer, which is as if nobody had heard of it.
    const away = { ...client, sequencerUrl: "http://127.0.0.1:1" };
    const { hash } = await transfer(client, {
      ...{ to: worker.id, amountWei: price },
      onSigned: (signed) => {
        const facts = { worker: "paid", to: worker.id, atMs: options.nowMs, amountWei: `${price}` };
        const batchHashes = [credits[0]!.batchHash];
        const line = { kind: "signed", ...facts, batchHashes, signed: { ...signed } } as const;
        new PaymentJournal(journalPath, TEST_ROLLUP).add(line);
        throw new Error("killed");
      },
    }).catch(() => ({ hash: null }));
    expect(hash).toBeNull();
    await expect(
      payProvers(away, credits, new PaymentJournal(journalPath, TEST_ROLLUP), options),
    ).rejects.toMatchObject({
      code: "CLI_UNREACHABLE",
      data: { server: "sequencer" },
    });
    await pay();
    expect((await balance()) - before).toBe(price);
    // Killed between the transfer and its line.
    const lines = readFileSync(journalPath, "utf8").trim().split("\n");
    expect(lines).toHaveLength(2);
    writeFileSync(journalPath, `${lines[0]}\n${lines[1]!.slice(0, 9)}`);
    await pay();
    await pay();
    expect((await balance()) - before).toBe(price);

    // The day is spent; the next one pays two at once, in one transfer.
    const more = [3, 4].map((batchNumber) => ({
      ...{ batchNumber, worker: "other", atMs: 0 },
      batchHash: `0x${String(batchNumber).repeat(64)}`,
    }));
    await pay({}, [...credits, ...more]);
    expect((await balance()) - before).toBe(price);
    await pay({ nowMs: options.nowMs + 86_400_000, maxWeiPerDay: 10n * price }, [...credits, ...more]);
    expect((await balance()) - before).toBe(3n * price);
    const reports = reportWorkers(
      [...credits, ...more],
      new PaymentJournal(journalPath, TEST_ROLLUP),
      options,
    );
    expect(reports).toEqual([
      { worker: "other", proofCount: 2, paidWei: 2n * price, dueWei: 0n, hasAccount: true },
      { worker: "paid", proofCount: 1, paidWei: price, dueWei: 0n, hasAccount: true },
      { worker: "unknown", proofCount: 1, paidWei: 0n, dueWei: price, hasAccount: false },
    ]);
    expect(paymentMetrics(reports)).toContain('rollup_prover_paid_open{worker="other"} 1\n');

    // Its nonce went to something else, and only a human can tell that.
    const first = JSON.parse(lines[0]!) as { signed: SignedSubmission };
    const onSigned = (signed: SignedSubmission) => {
      first.signed = signed;
      throw new Error("killed");
    };
    await expect(
      transfer(client, { to: worker.id, amountWei: ONE_OPEN_WEI, nonce: 0, onSigned }),
    ).rejects.toThrow();
    writeFileSync(journalPath, `${JSON.stringify(first)}\n`);
    await expect(pay()).rejects.toMatchObject({ code: "CMD_PAYMENTS_UNCLEAR" });
    new PaymentJournal(journalPath, TEST_ROLLUP).decide(first.signed.hash, "paid");
    await pay();
    expect((await balance()) - before).toBe(3n * price);
  });

  test("credits a proof to who made it, whatever name another one gives", async () => {
    const credits = new ProofCredits(join(folder.path, "credits"));
    await dispatcher.close();
    dispatcher = startDispatcher(undefined, credits);
    await dispatcher.look();
    const handIn = async (client: ProveJobClient) => {
      const job = (await client.nextJob())!;
      await client.submitProof(job, proofOf(job));
      return job;
    };
    // Under another's name, sealed with the own key: it cannot be opened, and the job is there again.
    const { batchHash } = await handIn(await prover("machine-7", { handInKey: keyOf("thief") }));
    await dispatcher.look();
    expect(await statusOf(1)).toBe("closed");
    await dispatcher.look();
    // Not sealed at all: the proof is as good as any, and nobody's.
    const again = await handIn(await prover("machine-7"));
    expect(again.batchHash).toBe(batchHash);
    await dispatcher.look();
    expect([await statusOf(1), credits.all]).toEqual(["proven", []]);
    const second = await handIn(await prover("machine-7", { handInKey: keyOf("machine-7") }));
    // A reader of the whole queue finds no proof to hand in as their own, and another batch's seal is worth nothing.
    const left = await connection.hget(`openledger:prove:${second.batchHash}`, "returnvalue");
    expect(Object.keys(JSON.parse(left!))).toEqual(["worker", "sealed"]);
    expect(() => openHandIn(JSON.parse(left!), batchHash, HAND_IN_SECRET)).toThrow(
      "not authenticated by its key",
    );
    await dispatcher.look();
    expect(credits.all).toMatchObject([{ batchNumber: 2, worker: "machine-7" }]);
    const text = await metrics.registry.metrics();
    expect(text).toContain('rollup_worker_proofs_total{worker="unproven",result="invalid"} 1');
    expect(text).toContain('rollup_worker_proofs_total{worker="unproven",result="taken"} 1');
    expect(text).toContain('rollup_worker_proofs_total{worker="machine-7",result="taken"} 1');
    expect(text).toContain('rollup_errors_total{code="PRV_HAND_IN_UNPROVEN"} 1');
  });

  test("takes a job away from its prover once the batch was closed anew", async () => {
    await dispatcher.look();
    const client = await prover("a");
    const job = (await client.nextJob())!;
    // Too old for L1: the same operations, a new timestamp.
    await rollup.post("/operator/l1-head", { blockNumber: 999, timestamp: 1_800_003_000 }, operatorHeaders);
    await expect
      .poll(async () => (await rollup.sequencer.line.unprovenBatches())[0]?.batchHash)
      .not.toBe(job.batchHash);
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
      const job = await soonNext(client);
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
  });

  test("is not stopped by what is no proof, and counts it as a failure of its job", async () => {
    await dispatcher.look();
    const [hostile, honest] = [await prover("hostile"), await prover("honest")];
    const behind = async () => {
      const job = (await honest.nextJob())!;
      expect(job.batchNumber).toBe(2);
      await honest.submitProof(job, proofOf(job));
    };
    const rubbish = [
      // Above 2^256: the sequencer's form, and no number of it.
      { publicSignals: Array(3).fill("9".repeat(78)) },
      { batchHash: `0x${"1".repeat(64)}` },
      { timings: { proveMs: 1e300 } },
    ];
    for (const [i, part] of rubbish.entries()) {
      const job = await soonNext(hostile);
      expect(job.batchNumber).toBe(1);
      if (i === 0) await behind();
      await hostile.submitProof(job, proofOf(job));
      const key = `openledger:prove:${job.batchHash}`;
      const left = JSON.parse((await connection.hget(key, "returnvalue"))!);
      await connection.hset(key, "returnvalue", JSON.stringify({ ...left, ...part }));
      await dispatcher.look();
      expect([await statusOf(1), await statusOf(2)]).toEqual(["closed", "proven"]);
      await dispatcher.look();
    }
    expect(await hostile.nextJob()).toBeNull();
    const text = await metrics.registry.metrics();
    expect(text).toContain('rollup_prove_jobs{state="aside"} 1');
    expect(text).toContain('result="invalid"} ');
    expect(await dispatcher.retryAside()).toBe(1);
    await dispatcher.look();
    const job = await soonNext(honest);
    await honest.submitProof(job, proofOf(job));
    await dispatcher.look();
    expect(await statusOf(1)).toBe("proven");
  });

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
    await expect(client.nextJob()).rejects.toMatchObject({
      code: "PRV_QUEUE_FAILED",
      data: { reason: "queue-inputs-invalid" },
    });
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
    ).rejects.toMatchObject({ code: "PRV_QUEUE_FAILED", data: { reason: "queue-unreachable" } });
  });
});
