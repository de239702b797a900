/** Test of the queue with several callers and workers, and a real PostgreSQL server. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import type { Database } from "@openledger/foundation/database/database";
import { JOBS } from "@openledger/foundation/database/job-tables";
import { openDatabase } from "@openledger/foundation/database/open-database";
import { createLogger } from "@openledger/foundation/logger";
import {
  createTestDatabase,
  databaseAt,
  type TestDatabase,
} from "@openledger/foundation/testing/test-database";
import { wholeTest } from "@openledger/foundation/testing/whole-run";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { developmentSetup } from "../keys/development-setup.ts";
import type { OutsideProver } from "../process/outside-prover.ts";
import { ProofMaker } from "../process/proof-maker.ts";
import { readProverConfig } from "../process/prover-config.ts";
import type { ProofResult, ProvingCircuit } from "../proving/prover.ts";
import { compileSample, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { createQueueProver } from "./queue-prover.ts";
import { type QueueWorker, startQueueWorker } from "./queue-worker.ts";

const logger = createLogger("test", "silent");
const folder = await scratchFolder();
/** Lease long enough that nobody loses a job because the machine is busy. */
const LEASE_MS = 30_000;
/** Lease of tests that wait for one to end. */
const SHORT_LEASE_MS = 2_500;

let circuit: ProvingCircuit;
let maker: ProofMaker;
let home: TestDatabase;
let workerUrl: string;
let admin: Database;
const open: { close(): Promise<void> }[] = [];

async function startAsker(
  cancelsAborted = true,
  onFalseProof = (_worker: string) => {},
): Promise<OutsideProver> {
  const prover = await createQueueProver(
    { database: databaseAt(home.url), cancelsAborted },
    { logger, onFalseProof },
  );
  open.push(prover);
  return prover;
}

interface WorkerOptions {
  readonly name?: string;
  readonly leaseMs?: number;
  /** Replaces the real proof. */
  readonly make?: ProofMaker["make"];
}

async function startWorker({
  leaseMs = LEASE_MS,
  make,
  name = "worker",
}: WorkerOptions = {}): Promise<QueueWorker> {
  const worker = await startQueueWorker(
    { database: databaseAt(workerUrl), name, leaseMs },
    {
      logger,
      circuits: new Map([[circuit.name, circuit]]),
      maker: { make: make ?? ((job, options) => maker.make(job, options)), check: async () => {} },
    },
  );
  open.push(worker);
  return worker;
}

/** Inputs that have a proof; each `w` makes another job. */
const inputsOf = (w: bigint) => ({ x: 3n, w });
const inputHashes = async () =>
  (await admin.query<{ hash: string }>("select distinct hash from inputs")).map(({ hash }) => hash);
const idsOf = async (state: string) =>
  (await admin.query<{ id: string }>("select id from job where state = $1", [state])).map(({ id }) => id);
const waitingId = async () => (await idsOf("created"))[0] ?? null;
/** Maker that never ends, and fails when its job is cancelled. */
const endless: ProofMaker["make"] = (_job, { signal }) =>
  new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(new Error("taken away")), { once: true });
  });

const emptyQueue = async () => {
  for (const table of ["job", "inputs"]) await admin.query(`delete from ${table}`);
};

describe("the queue of proofs", () => {
  beforeAll(async () => {
    circuit = await developmentSetup(await compileSample(4), { cacheDir: folder });
    maker = await ProofMaker.open(readProverConfig({ PROVER_BACKEND: "wasm" }), {
      logger,
      onCrossCheck: () => {},
    });
    home = await createTestDatabase();
    // Whoever puts jobs into the queue makes its tables.
    await (
      await createQueueProver({ database: databaseAt(home.url), cancelsAborted: true }, { logger })
    ).close();
    workerUrl = await home.workerUrl();
    admin = await openDatabase(databaseAt(home.url), { part: JOBS, rollup: null, logger });
    // Without the pauses between a job's attempts.
    await admin.query("update queue set retry_delay = 0, retry_backoff = false");
  });
  afterAll(async () => {
    await maker?.close();
    await admin?.close();
    await home?.drop();
  });
  beforeEach(async () => {
    await emptyQueue();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
  });

  test("brings a job to a worker, and its proof back", async () => {
    const asker = await startAsker();
    await startWorker();
    const { proof, publicSignals } = await asker.prove({ circuit, inputs: inputsOf(2n) });
    expect(publicSignals[1]).toBe(3n);
    expect(proof.a).toHaveLength(2);
    expect(await inputHashes(), "inputs go with their job").toEqual([]);
    await expect.poll(() => asker.state).toMatchObject({ isReady: true, workerCount: 1, waitingCount: 0 });
  });

  test("puts no job with an input value outside the field", async () => {
    const asker = await startAsker();
    await expect(asker.prove({ circuit, inputs: inputsOf(FIELD_ORDER + 2n) })).rejects.toMatchObject({
      code: "CIR_INPUT_MISMATCH",
    });
  });

  test("a job whose inputs were evicted gets them again, and is proven", async () => {
    const asker = await startAsker();
    const question = asker.prove({ circuit, inputs: inputsOf(3n) });
    await expect.poll(waitingId).not.toBeNull();
    expect(await inputHashes()).toHaveLength(1);
    await admin.query("delete from inputs");
    await startWorker();
    expect((await question).publicSignals[1]).toBe(3n);
  });

  test("a queue that was emptied gets its jobs again", async () => {
    const asker = await startAsker();
    const question = asker.prove({ circuit, inputs: inputsOf(4n) });
    await expect.poll(waitingId).not.toBeNull();
    await emptyQueue();
    await startWorker();
    expect((await question).publicSignals[1]).toBe(3n);
  }, 30_000);

  test("a proof that was handed in while nobody waited is there for who asks again, without a worker", async () => {
    const first = await startAsker();
    const job = { circuit, inputs: inputsOf(5n) };
    const gone = expect(first.prove(job)).rejects.toMatchObject({ code: "PRV_CLOSED" });
    await expect.poll(waitingId).not.toBeNull();
    await first.close();
    await gone;
    const worker = await startWorker();
    await expect.poll(() => idsOf("completed")).toHaveLength(1);
    await worker.close();
    const [question, again] = [await (await startAsker()).prove(job), await (await startAsker()).prove(job)];
    expect(question.publicSignals[1]).toBe(3n);
    expect(again.proof).toEqual(question.proof);
  });

  test("a job that its worker gives back goes to the next one", async () => {
    const asker = await startAsker();
    const question = asker.prove({ circuit, inputs: inputsOf(6n) });
    let isBegun = false;
    const first = await startWorker({
      make: (...args) => {
        isBegun = true;
        return endless(...args);
      },
    });
    await expect.poll(() => isBegun).toBe(true);
    await first.close();
    await startWorker();
    expect((await question).publicSignals[1]).toBe(3n);
  });

  // For all queues: foundation/database/job-queue.test.ts.
  wholeTest(
    "a job of a worker that was killed goes to the next one, and not before",
    async () => {
      const asker = await startAsker();
      const question = asker.prove({ circuit, inputs: inputsOf(14n) });
      const args = ["--import", "tsx", "prover/testing/endless-worker.ts", workerUrl];
      const job = [`${SHORT_LEASE_MS}`, circuit.name, circuit.contentHash];
      const killed = spawn(process.execPath, [...args, ...job], { stdio: ["ignore", "pipe", "inherit"] });
      await once(killed.stdout, "data");
      let madeCount = 0;
      await startWorker({
        leaseMs: SHORT_LEASE_MS,
        make: (...input) => {
          madeCount += 1;
          return maker.make(...input);
        },
      });
      await delay(1.5 * SHORT_LEASE_MS);
      expect(madeCount, "it lives").toBe(0);
      killed.kill("SIGKILL");
      expect((await question).publicSignals[1]).toBe(3n);
      expect(madeCount).toBe(1);
    },
    60_000,
  );

  test("a job that its asker gives up is taken from its worker; asked for again it is proven", async () => {
    const asker = await startAsker();
    const aborting = new AbortController();
    let isTakenAway = false;
    const job = { circuit, inputs: inputsOf(7n) };
    const refused = expect(asker.prove(job, { signal: aborting.signal })).rejects.toMatchObject({
      code: "PRV_CANCELLED",
    });
    let isBegun = false;
    const worker = await startWorker({
      make: (input, options) => {
        isBegun = true;
        return endless(input, options).catch((error: unknown) => {
          isTakenAway = true;
          throw error;
        });
      },
    });
    await expect.poll(() => isBegun).toBe(true);
    aborting.abort();
    await refused;
    await expect.poll(() => isTakenAway).toBe(true);
    await worker.close();
    const question = asker.prove(job);
    await startWorker();
    expect((await question).publicSignals[1]).toBe(3n);
  });

  test("a settler that gives up leaves its job to the next one", async () => {
    const settler = await startAsker(false);
    const aborting = new AbortController();
    const job = { circuit, inputs: inputsOf(8n) };
    const refused = expect(settler.prove(job, { signal: aborting.signal })).rejects.toMatchObject({
      code: "PRV_CANCELLED",
    });
    const id = await expect.poll(waitingId).not.toBeNull().then(waitingId);
    aborting.abort();
    await refused;
    expect(await waitingId()).toBe(id);
    await startWorker();
    await expect.poll(() => idsOf("completed")).toHaveLength(1);
    expect((await (await startAsker(false)).prove(job)).publicSignals[1]).toBe(3n);
  });

  test("Attack: a right proof of other inputs is no answer, and the worker is named; the job is done again", async () => {
    const falseProofs: string[] = [];
    const asker = await startAsker(true, (worker) => falseProofs.push(worker));
    const [right, other] = await Promise.all(
      [9n, 10n].map((w) => maker.make({ circuit, inputs: inputsOf(w) }, {})),
    );
    const answers: ProofResult[] = [other!, { ...right!, proof: other!.proof }, right!];
    await startWorker({ name: "hostile", make: async () => answers.shift()! });
    const job = { circuit, inputs: inputsOf(9n), publicSignals: right!.publicSignals };
    expect((await asker.prove(job)).proof).toEqual(right!.proof);
    expect(falseProofs).toEqual(["hostile", "hostile"]);
  });

  test("says after three failures that no worker proves the job, and begins anew when asked again", async () => {
    const asker = await startAsker();
    const job = { circuit, inputs: inputsOf(11n) };
    let failureCount = 0;
    const worker = await startWorker({
      make: async () => {
        failureCount += 1;
        throw new Error("out of order");
      },
    });
    // A job is tried three times, and the one who asks puts it again.
    await expect(asker.prove(job)).rejects.toMatchObject({
      code: "PRV_QUEUE_FAILED",
      message: expect.stringContaining("out of order"),
      data: { reason: "queue-job-failed" },
    });
    expect(failureCount).toBeGreaterThanOrEqual(3);
    expect(asker.state.failingCode).toBe("PRV_QUEUE_FAILED");
    await worker.close();
    await startWorker();
    expect((await asker.prove(job)).publicSignals[1]).toBe(3n);
    expect(asker.state.failingCode).toBeNull();
  }, 60_000);

  test("Attack: inputs that are not those of the job's hash are not proven; the right ones are put again", async () => {
    const asker = await startAsker();
    const right = await maker.make({ circuit, inputs: inputsOf(12n) }, {});
    const question = asker.prove({ circuit, inputs: inputsOf(12n) });
    await expect.poll(waitingId).not.toBeNull();
    await admin.query("update inputs set bytes = 'something else'");
    const made: unknown[] = [];
    await startWorker({
      make: (job, options) => {
        made.push(job.inputs);
        return maker.make(job, options);
      },
    });
    expect((await question).publicSignals).toEqual(right.publicSignals);
    expect(made).toEqual([inputsOf(12n)]);
  });

  test("Attack: a worker that takes every job away gets it ever more rarely, and another one proves it", async () => {
    const asker = await startAsker();
    const question = asker.prove({ circuit, inputs: inputsOf(14n) });
    let takenCount = 0;
    for (const untilMs = performance.now() + 3_000; performance.now() < untilMs; await delay(20))
      takenCount += (
        await admin.query(
          `with taken as (delete from job where name = 'prove' returning id)
             select pg_notify('jobs_prove', id::text) from taken`,
        )
      ).length;
    expect(takenCount).toBeGreaterThan(1);
    expect(takenCount).toBeLessThan(5);
    await startWorker();
    expect((await question).publicSignals).toEqual(
      (await maker.make({ circuit, inputs: inputsOf(14n) }, {})).publicSignals,
    );
  });

  test("refuses a circuit that is not the deployment's, though it has its name", async () => {
    const asker = await startAsker();
    await startWorker();
    const foreign = { ...circuit, contentHash: "of another circuit" };
    await expect(asker.prove({ circuit: foreign, inputs: inputsOf(13n) })).rejects.toThrow(
      "which the deployment does not have",
    );
  }, 60_000);

  test("says by its code that a worker's credential is not taken, or that there is no queue yet", async () => {
    const unknown = databaseAt(home.url.replace("user=postgres", "user=nobody_of_this_name"));
    await expect(
      createQueueProver({ database: unknown, cancelsAborted: true }, { logger }),
    ).rejects.toMatchObject({
      code: "SRV_DATABASE_UNREACHABLE",
    });
    const empty = await createTestDatabase();
    try {
      const database = databaseAt(empty.url);
      const maker = { make: endless, check: async () => {} };
      await expect(
        startQueueWorker(
          { database, name: "early", leaseMs: LEASE_MS },
          { logger, maker, circuits: new Map() },
        ),
      ).rejects.toMatchObject({ code: "SRV_DATABASE_SCHEMA" });
    } finally {
      await empty.drop();
    }
  });
});
