import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { z } from "zod";
import { createLogger } from "../logger.ts";
import { DOUBLING } from "../testing/doubling-jobs.ts";
import { createTestDatabase, databaseAt, type TestDatabase } from "../testing/test-database.ts";
import { addressFor } from "./address.ts";
import type { Database } from "./database.ts";
import { packInputs } from "./job-inputs.ts";
import { JobRefusal, type RunningJob } from "./job-lease.ts";
import { JobQueue } from "./job-queue.ts";
import { JOBS, makeWorkerRole } from "./job-tables.ts";
import { openDatabase } from "./open-database.ts";
import { makeRole, rowRights } from "./roles.ts";

const logger = createLogger("test", "silent");
/** Lease of tests that wait for one to end. */
const SHORT_LEASE_MS = 2_500;
const never = new AbortController().signal;

type Doubling = JobQueue<typeof DOUBLING.task, typeof DOUBLING.answer, typeof DOUBLING.progress>;
type Running = RunningJob<{ n: number }, z.input<typeof DOUBLING.progress>>;

let home: TestDatabase;
let workerUrl: string;
let admin: Database;
const open: { close(): Promise<void> }[] = [];

async function asker(): Promise<Doubling> {
  const queue = await JobQueue.open(databaseAt(home.url), DOUBLING, { logger });
  open.push(queue);
  return queue;
}

async function worker(
  run: (job: Running) => Promise<{ twice: number }>,
  options: { leaseMs?: number; concurrency?: number } = {},
): Promise<Doubling> {
  const queue = await JobQueue.open(databaseAt(workerUrl), DOUBLING, { logger, migrates: false });
  open.push(queue);
  queue.work({ name: "worker", run, ...options });
  return queue;
}

/** A promise and what fulfils it. */
function signalled(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}
const double = async ({ task }: Running) => ({ twice: 2 * task.n });
const stateOf = async (): Promise<unknown> => (await admin.query("select state from job"))[0]?.state;
/** Worker that waits for the end of its job's signal. */
const untilAborted = (job: Running, onBegun: () => void) =>
  new Promise<never>((_, reject) => {
    onBegun();
    job.signal.addEventListener("abort", () => reject(new Error("taken away")), { once: true });
  });

beforeAll(async () => {
  home = await createTestDatabase();
  await (await JobQueue.open(databaseAt(home.url), DOUBLING, { logger })).close();
  workerUrl = await home.workerUrl();
  admin = await openDatabase(databaseAt(home.url), { part: JOBS, rollup: null, logger });
  // Without the pauses between a job's attempts.
  await admin.query("update queue set retry_delay = 0, retry_backoff = false");
});
afterAll(async () => {
  await admin?.close();
  await home?.drop();
});
beforeEach(async () => {
  await admin.query("delete from job");
  await admin.query("delete from inputs");
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

describe("tables of the queue", () => {
  it("are made once by queues that are opened at the same time", async () => {
    const empty = await createTestDatabase();
    try {
      const queues = await Promise.all(
        Array.from({ length: 6 }, () => JobQueue.open(databaseAt(empty.url), DOUBLING, { logger })),
      );
      open.push(...queues);
      await queues[0]!.send("a", { n: 1 });
      expect(await queues[5]!.state("a")).toEqual({ state: "waiting" });
      for (const one of open.splice(0)) await one.close();
    } finally {
      await empty.drop();
    }
  });
});

describe("a job", () => {
  it("is done once for all who ask under its key, and its end stays", async () => {
    const [one, other] = [await asker(), await asker()];
    let runCount = 0;
    await worker(async (job) => {
      runCount += 1;
      return double(job);
    });
    await Promise.all([one.send("a", { n: 2 }), other.send("a", { n: 2 })]);
    const ends = await Promise.all([one.wait("a", { signal: never }), other.wait("a", { signal: never })]);
    expect(ends).toEqual(Array(2).fill({ state: "completed", answer: { twice: 4 } }));
    await one.send("a", { n: 2 });
    expect(await (await asker()).state("a")).toEqual({ state: "completed", answer: { twice: 4 } });
    expect(runCount).toBe(1);
    expect(await one.state("b")).toBeNull();
  });

  it("is missing where there is none, or it was cancelled", async () => {
    const queue = await asker();
    for (const key of ["a", "b"]) await queue.send(key, { n: 1 });
    await queue.cancel("b");
    expect(await queue.missing(["a", "b", "c"])).toEqual(["b", "c"]);
    expect(await queue.missing([])).toEqual([]);
  });

  it("of the smallest priority goes first, one without any last", async () => {
    const queue = await asker();
    for (const [key, priority] of [["a"], ["b", 2 ** 31 - 1], ["c", 1], ["d", 0]] as const)
      await queue.send(key, { n: key.charCodeAt(0) - 97 }, priority === undefined ? {} : { priority });
    const order: number[] = [];
    await worker(async (job) => {
      order.push(job.task.n);
      return double(job);
    });
    await queue.wait("a", { signal: never });
    expect(order).toEqual([3, 2, 1, 0]);
  });

  it("tells how far it is", async () => {
    const queue = await asker();
    await queue.send("a", { n: 1 });
    await worker(
      async (job) => {
        job.progress({ percent: 40 });
        await untilAborted(job, () => {});
        return { twice: 0 };
      },
      { leaseMs: SHORT_LEASE_MS },
    );
    await expect
      .poll(() => queue.state("a"), { timeout: 10_000 })
      .toEqual({ state: "active", progress: { percent: 40 } });
  });

  it("gets its inputs, also ones of many pieces, and no altered ones", async () => {
    const queue = await asker();
    const inputs = await packInputs(randomBytes(6 * 1024 * 1024).toString("hex"));
    const run = async (job: Running) => ({ twice: (await job.inputs()).length });
    await worker(run);
    await queue.send("a", { n: 1 }, { inputs });
    expect(await admin.query("select piece from inputs order by piece")).toEqual([
      { piece: 0 },
      { piece: 1 },
    ]);
    expect(await queue.wait("a", { signal: never })).toEqual({
      state: "completed",
      answer: { twice: 12 * 1024 * 1024 },
    });
    await admin.query("update inputs set bytes = bytes || 'x' where piece = 1");
    await queue.send("b", { n: 1 }, { inputs });
    expect(await queue.wait("b", { signal: never })).toMatchObject({ state: "refused" });
    await queue.dropInputs(inputs.hash);
    await queue.send("b", { n: 1 }, { inputs });
    expect(await queue.wait("b", { signal: never })).toMatchObject({ state: "completed" });
  });

  it("fails after three attempts; what cannot be done is refused at the first, and both begin anew when sent again", async () => {
    const queue = await asker();
    const runs = { failing: 0, refused: 0 };
    const failing = await worker(async ({ task }) => {
      if (task.n === 0) {
        runs.refused += 1;
        throw new JobRefusal("no such number");
      }
      runs.failing += 1;
      throw new Error("out of order \0");
    });
    await queue.send("a", { n: 1 });
    await queue.send("b", { n: 0 });
    expect(await queue.wait("b", { signal: never })).toEqual({ state: "refused", reason: "no such number" });
    expect(await queue.wait("a", { signal: never })).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("out of order"),
    });
    expect(runs).toEqual({ failing: 3, refused: 1 });
    await failing.close();
    await worker(double);
    for (const [key, n] of [
      ["a", 1],
      ["b", 0],
    ] as const) {
      await queue.send(key, { n });
      expect(await queue.wait(key, { signal: never })).toEqual({
        state: "completed",
        answer: { twice: 2 * n },
      });
    }
  });

  it("that is cancelled is taken from its worker, and a late answer is not taken", async () => {
    const queue = await asker();
    await queue.send("a", { n: 1 });
    const begun = signalled();
    await worker(async (job) => {
      await untilAborted(job, () => begun.resolve()).catch(() => {});
      return { twice: 99 };
    });
    await begun.promise;
    await queue.cancel("a");
    expect(await queue.wait("a", { signal: never })).toEqual({ state: "cancelled" });
    await queue.send("a", { n: 2 });
    await expect.poll(() => queue.state("a"), { timeout: 20_000 }).toMatchObject({ state: "active" });
    await queue.cancel("a");
    await delay(100);
    expect(await queue.state("a")).toEqual({ state: "cancelled" });
  });

  it("that its worker gives back costs no attempt", async () => {
    const queue = await asker();
    await queue.send("a", { n: 1 });
    for (let i = 0; i < 4; i++) {
      const begun = signalled();
      const one = await worker((job) => untilAborted(job, () => begun.resolve()));
      await begun.promise;
      await one.close();
      expect(await stateOf()).toBe("created");
    }
    await worker(double);
    expect(await queue.wait("a", { signal: never })).toMatchObject({ state: "completed" });
  });

  it("of which a worker writes nonsense is told as such", async () => {
    const queue = await asker();
    await queue.send("a", { n: 1 });
    await worker(async () => ({ thrice: 3 }) as never);
    expect(await queue.wait("a", { signal: never })).toEqual({ state: "malformed" });
  });

  it("is waited for no longer than its signal, and found missing where it is gone", async () => {
    const queue = await asker();
    await queue.send("a", { n: 1 });
    const aborting = new AbortController();
    const waiting = queue.wait("a", { signal: aborting.signal });
    aborting.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await queue.remove("a");
    expect(await queue.wait("a", { signal: never })).toBeNull();
  });
});

describe("the lease of a job", () => {
  it("goes to the next worker after a kill, and not before", async () => {
    const queue = await asker();
    await queue.send("a", { n: 1 });
    const args = [
      "--import",
      "tsx",
      "foundation/testing/stuck-job-worker.ts",
      workerUrl,
      `${SHORT_LEASE_MS}`,
    ];
    const killed = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await once(killed.stdout, "data");
    let runCount = 0;
    await worker(async (job) => {
      runCount += 1;
      return double(job);
    });
    await delay(4 * SHORT_LEASE_MS);
    expect(runCount, "it lives").toBe(0);
    killed.kill("SIGKILL");
    const killedAtMs = performance.now();
    expect(await queue.wait("a", { signal: never })).toMatchObject({ state: "completed" });
    expect(runCount).toBe(1);
    // The lease, the interval of looking for lost ones, a pause before the next attempt, and a busy machine.
    expect(performance.now() - killedAtMs).toBeLessThan(SHORT_LEASE_MS + 5_000 + 1_000 + 15_000);
  }, 90_000);

  it("is one worker's alone: one that was put to sleep comes back to a job of another, and its answer is not taken", async () => {
    const queue = await asker();
    await queue.send("a", { n: 1 });
    const begun = signalled();
    const asleep = signalled();
    const signals: AbortSignal[] = [];
    await worker(
      async (job) => {
        signals.push(job.signal);
        begun.resolve();
        await asleep.promise;
        return { twice: 99 };
      },
      { leaseMs: SHORT_LEASE_MS },
    );
    await begun.promise;
    // As another worker's claim does.
    await admin.query(`update job set output = '{"lease":"another"}'`);
    await expect.poll(() => signals[0]!.aborted, { timeout: 10_000 }).toBe(true);
    asleep.resolve();
    await delay(300);
    expect(await stateOf()).toBe("active");
  });

  it("outlives the database's connections, and an end that was reached meanwhile is written", async () => {
    const queue = await asker();
    await queue.send("a", { n: 3 });
    const begun = signalled();
    const goOn = signalled();
    await worker(async (job) => {
      begun.resolve();
      await goOn.promise;
      return double(job);
    });
    await begun.promise;
    const cut = () =>
      admin.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
      );
    const waiting = queue.wait("a", { signal: never });
    await cut();
    goOn.resolve();
    await cut();
    expect(await waiting).toEqual({ state: "completed", answer: { twice: 6 } });
  }, 30_000);
});

describe("an attempt", () => {
  const attempt = (
    queue: Doubling,
    run: (job: Running) => Promise<{ twice: number } | null>,
    options: { again?: boolean; leaseMs?: number; signal?: AbortSignal } = {},
  ) => queue.attempt("a", { n: 1 }, { run, signal: never, ...options });

  it("runs a job here, and nowhere else meanwhile; its answer stays until it is asked for again", async () => {
    const [one, other] = [await asker(), await asker()];
    const begun = signalled();
    const goOn = signalled();
    const first = attempt(
      one,
      async (job) => {
        job.progress({ percent: 40 });
        begun.resolve();
        await goOn.promise;
        return double(job);
      },
      { leaseMs: SHORT_LEASE_MS },
    );
    await begun.promise;
    let otherCount = 0;
    const counted = async (job: Running) => {
      otherCount += 1;
      return double(job);
    };
    await expect
      .poll(() => attempt(other, counted), { timeout: 10_000 })
      .toEqual({ isOurs: false, state: { state: "active", progress: { percent: 40 } } });
    goOn.resolve();
    expect(await first).toEqual({ isOurs: true, answer: { twice: 2 } });
    expect(await attempt(other, counted)).toEqual({
      isOurs: false,
      state: { state: "completed", answer: { twice: 2 } },
    });
    expect(otherCount).toBe(0);
    expect(await attempt(other, counted, { again: true })).toMatchObject({ isOurs: true });
    expect(otherCount).toBe(1);
  });

  it("begins one of many at once alone", async () => {
    const queues = await Promise.all(Array.from({ length: 4 }, asker));
    const goOn = signalled();
    let runCount = 0;
    const run = async (job: Running) => {
      runCount += 1;
      await goOn.promise;
      return double(job);
    };
    const attempts = queues.map((queue) => attempt(queue, run));
    // The others are told at once that it is another's.
    let toldCount = 0;
    for (const one of attempts) void one.then(() => (toldCount += 1));
    await expect.poll(() => toldCount).toBe(queues.length - 1);
    goOn.resolve();
    expect((await Promise.all(attempts)).filter(({ isOurs }) => isOurs)).toHaveLength(1);
    expect(runCount).toBe(1);
  });

  it("that fails, or has no answer yet, leaves the job to the next one with what it has saved", async () => {
    const [one, other] = [await asker(), await asker()];
    const failing = attempt(one, async (job) => {
      await job.save({ half: job.task.n });
      throw new Error("out of order");
    });
    await expect(failing).rejects.toThrow("out of order");
    expect(await stateOf()).toBe("created");
    const unfinished = await attempt(other, async (job) => {
      expect(job.saved).toEqual({ half: 1 });
      return null;
    });
    expect(unfinished).toEqual({ isOurs: true, answer: null });
    const stopping = new AbortController();
    const begun = signalled();
    const stopped = attempt(one, (job) => untilAborted(job, () => begun.resolve()), {
      signal: stopping.signal,
    });
    await begun.promise;
    stopping.abort();
    await expect(stopped).rejects.toThrow("taken away");
    expect(await attempt(one, double)).toEqual({ isOurs: true, answer: { twice: 2 } });
  });

  it("whose process is killed is taken over with what it has saved, once its lease is over", async () => {
    const queue = await asker();
    const args = ["--import", "tsx", "foundation/testing/stuck-job-worker.ts", home.url, `${SHORT_LEASE_MS}`];
    const killed = spawn(process.execPath, [...args, "a"], { stdio: ["ignore", "pipe", "inherit"] });
    await once(killed.stdout, "data");
    killed.kill("SIGKILL");
    let saved: unknown;
    const take = () =>
      attempt(queue, async (job) => {
        saved = job.saved;
        return double(job);
      });
    expect(await take()).toMatchObject({ isOurs: false });
    await expect.poll(async () => (await take()).isOurs, { timeout: 30_000, interval: 200 }).toBe(true);
    expect(saved).toEqual({ half: 1 });
  }, 60_000);

  it("that has lost its job saves nothing, and its answer is not taken: the job is another's", async () => {
    const queue = await asker();
    const errors: string[] = [];
    const lost = await attempt(
      queue,
      async (job) => {
        await admin.query(`update job set output = '{"lease":"another"}'`);
        await job.save({ half: 1 }).catch((error: Error) => errors.push(error.message));
        return double(job);
      },
      { leaseMs: SHORT_LEASE_MS },
    );
    expect(lost).toEqual({ isOurs: false, state: { state: "active", progress: null } });
    expect(errors).toEqual(["the job is no longer this worker's"]);
    expect(await admin.query("select state, data->'saved' as saved from job")).toEqual([
      { state: "active", saved: null },
    ]);
    const failing = async (job: Running) => {
      await job.save({ half: 1 });
      return double(job);
    };
    await admin.query("update job set state = 'created', output = null");
    const other = attempt(queue, async (job) => {
      await admin.query(`update job set output = '{"lease":"another"}'`);
      return failing(job);
    });
    expect(await other).toMatchObject({ isOurs: false });
  });
});

describe("a worker's role", () => {
  it("can do nothing beyond the queue's tables", async () => {
    await admin.query("create schema other; create table other.secrets (id integer)");
    const role = await openDatabase(databaseAt(workerUrl), {
      part: JOBS,
      rollup: null,
      logger,
      migrates: false,
    });
    open.push(role);
    for (const statement of [
      "select * from other.secrets",
      "create schema mine",
      "create table jobs.mine (id integer)",
      "create table public.mine (id integer)",
      "create temporary table mine (id integer)",
      "create role another",
      "create database another",
      "drop table jobs.job",
      "truncate jobs.job",
      "alter table jobs.job add column more text",
      "delete from jobs.inputs",
      "insert into jobs.inputs values ('a', 0, 'x', now())",
      "update jobs.queue set retry_limit = 0",
      "update jobs.version set version = 1",
      "insert into jobs.archive (name) values ('double')",
      "insert into openledger.parts values ('x', 1, null, null, now())",
      "select pg_read_file('/etc/passwd')",
      "copy jobs.job to program 'true'",
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'",
      "alter system set work_mem = '1GB'",
      "set role postgres",
    ])
      await expect(role.query(statement), statement).rejects.toMatchObject({
        data: { reason: expect.stringMatching(/^(42501|0LP01|28000)$/) },
      });
    expect(await role.query("select count(*)::int as n from jobs.job")).toEqual([{ n: 0 }]);
  });

  it("neither sees nor changes jobs of other queues, which stay as they are for everybody else", async () => {
    const settling = await JobQueue.open(databaseAt(home.url), { ...DOUBLING, name: "settling" }, { logger });
    open.push(settling);
    await settling.send("epoch", { n: 1 });
    await (await asker()).send("proof", { n: 1 });
    const role = await openDatabase(databaseAt(workerUrl), {
      part: JOBS,
      rollup: null,
      logger,
      migrates: false,
    });
    open.push(role);
    expect(await role.query("select name from job")).toEqual([{ name: DOUBLING.name }]);
    expect(await role.query("update job set state = 'completed' returning name")).toEqual([
      { name: DOUBLING.name },
    ]);
    expect(await role.query("delete from job where name = 'settling' returning 1")).toEqual([]);
    await expect(role.query("insert into job (name) values ('settling')")).rejects.toMatchObject({
      data: { reason: "42501" },
    });
    await expect(role.query("update job set name = 'settling'")).rejects.toMatchObject({
      data: { reason: "42501" },
    });
    expect(await settling.state("epoch")).toEqual({ state: "waiting" });
    const name = /test_\w+/.exec(home.url)![0].concat("_service");
    const service = addressFor(home.url, name, "");
    await makeRole(admin, { name, password: "", rights: rowRights(JOBS) });
    const other = await openDatabase(databaseAt(service), {
      part: JOBS,
      rollup: null,
      logger,
      migrates: false,
    });
    expect(await other.query("select name from job order by name")).toEqual([
      { name: DOUBLING.name },
      { name: "settling" },
    ]);
    await other.close();
    await admin.query(`drop owned by ${name}`);
    await admin.query(`drop role ${name}`);
  });

  it("of any name takes nobody else's jobs away", async () => {
    await (await asker()).send("proof", { n: 1 });
    const name = "everybody";
    await makeWorkerRole(admin, { name, password: "p", queues: ["of-nobody"] });
    try {
      const role = await openDatabase(databaseAt(workerUrl), {
        part: JOBS,
        rollup: null,
        logger,
        migrates: false,
      });
      open.push(role);
      expect(await role.query("select name from job")).toEqual([{ name: DOUBLING.name }]);
    } finally {
      await admin.query(`drop owned by ${name}`);
      await admin.query(`drop role ${name}`);
    }
  });

  it("can write an end that is too large: it is malformed, and nobody reads it", async () => {
    const queue = await asker();
    const role = await openDatabase(databaseAt(workerUrl), {
      part: JOBS,
      rollup: null,
      logger,
      migrates: false,
    });
    open.push(role);
    for (const [key, end] of [
      // Compressed, a hundredth of it is stored.
      ["long", "jsonb_build_object('answer', jsonb_build_object('twice', 2, 'more', repeat('x', 8000000)))"],
      [
        "random",
        "jsonb_build_object('refused', (select string_agg(md5(i::text), '') from generate_series(1, 9000) as i))",
      ],
    ] as const) {
      await queue.send(key, { n: 1 });
      await role.query(`update job set state = 'completed', completed_on = now(), output = ${end}`);
      const before = process.memoryUsage().external;
      expect(await queue.state(key)).toEqual({ state: "malformed" });
      expect(process.memoryUsage().external - before).toBeLessThan(4_000_000);
      // Nothing says that it was refused: it stays until whoever waits for it removes it.
      await queue.send(key, { n: 1 });
      expect(await queue.wait(key, { signal: never })).toEqual({ state: "malformed" });
      await queue.remove(key);
    }
    await queue.send("progress", { n: 1 });
    await role.query(
      "update job set state = 'active', output = jsonb_build_object('progress', repeat('x', 8000000))",
    );
    expect(await queue.state("progress")).toEqual({ state: "active", progress: null });
  });

  it("gets a new password by the same name; a name that needs quotes is refused", async () => {
    const name = new URL(workerUrl.replace("postgres:///", "postgres://x/")).searchParams.get("user")!;
    const hash = () => admin.query("select rolpassword from pg_authid where rolname = $1", [name]);
    const before = await hash();
    const queues = [DOUBLING.name];
    await makeWorkerRole(admin, { name, password: "it's % another", queues });
    expect(await hash()).not.toEqual(before);
    const [owner] = await admin.query("select rolpassword from pg_authid where rolname = current_user");
    await expect(makeWorkerRole(admin, { name: "postgres", password: "p", queues })).rejects.toMatchObject({
      code: "SRV_CONFIG_INVALID",
    });
    expect(await admin.query("select rolpassword from pg_authid where rolname = current_user")).toEqual([
      owner,
    ]);
    await expect(makeWorkerRole(admin, { name: "x; drop", password: "p", queues })).rejects.toMatchObject({
      code: "SRV_CONFIG_INVALID",
    });
  });

  it("finds no queue that nobody has made", async () => {
    const other = { ...DOUBLING, name: "of-nobody" };
    await expect(
      JobQueue.open(databaseAt(workerUrl), other, { logger, migrates: false }),
    ).rejects.toMatchObject({
      code: "SRV_DATABASE_SCHEMA",
    });
  });
});
