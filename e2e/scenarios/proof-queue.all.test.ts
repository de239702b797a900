/** A sequencer whose proofs are made by workers of the queue, as processes, with a real L1 and a real database. */
import type { Database } from "@openledger/foundation/database/database";
import { JOBS } from "@openledger/foundation/database/job-tables";
import { openDatabase } from "@openledger/foundation/database/open-database";
import { createLogger } from "@openledger/foundation/logger";
import {
  createTestDatabase,
  databaseAt,
  type TestDatabase,
} from "@openledger/foundation/testing/test-database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { audit } from "../audit/audit.ts";
import { localUrl } from "../world/machine.ts";
import type { ManagedProcess } from "../world/process.ts";
import { portOf, serviceSpec } from "../world/services.ts";
import { createWorld, STEP_TIMEOUT_MS, type World } from "../world/world.ts";

/** Real processes on a machine that may be busy; alone it takes about two minutes. */
const TEST_TIMEOUT_MS = 900_000;
/** Longest time from the kill of a worker to the proof of its job by another one. */
const MAX_TAKEOVER_MS = 60_000;
/** Kills that may come between two jobs. */
const MAX_KILLS = 20;

let home: TestDatabase;
let database: Database;
let world: World;
const workers: { readonly process: ManagedProcess; readonly url: string }[] = [];
const steps: string[] = [];

beforeAll(async () => {
  home = await createTestDatabase();
  world = await createWorld({
    name: "proof-queue",
    proofQueueUrl: home.url,
    tell: (text) => steps.push(text),
  });
  // The sequencer has made the tables.
  const workerUrl = await home.workerUrl();
  const logger = createLogger("test", "silent");
  database = await openDatabase(databaseAt(home.url), { part: JOBS, rollup: null, logger });
  for (const name of ["one", "other"]) {
    const url = await localUrl();
    const spec = serviceSpec("prover", url, {
      PROVER_DEPLOYMENT_PATH: world.deploymentPath,
      PROVER_DATABASE_URL: workerUrl,
      PROVER_NAME: name,
      PROVER_BACKEND: "wasm",
      PROVER_HEALTH_PORT: portOf(url),
    });
    workers.push({ url, process: await world.serve({ ...spec, name: `prover-${name}` }) });
  }
}, TEST_TIMEOUT_MS);
afterAll(async () => {
  await world?.stop();
  await database?.close();
  await home?.drop();
});

interface JobRow {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
}
const jobs = () =>
  database.query<JobRow>(`select id, state, retry_count as attempts from job where name = 'prove'`);

/** Kills a worker that proves. @returns the worker, and the jobs that were active at its end */
async function killBusyWorker() {
  const killed = await world.waitFor(
    "a worker that proves",
    async () => {
      for (const worker of workers) {
        const health = (await (await fetch(`${worker.url}/health`)).json()) as {
          provingCircuit: string | null;
        };
        if (health.provingCircuit === null) continue;
        await worker.process.kill();
        return worker;
      }
      return null;
    },
    STEP_TIMEOUT_MS,
  );
  return { killed, active: (await jobs()).filter(({ state }) => state === "active").map(({ id }) => id) };
}

/** Waits for the jobs' end. @returns the number of those that another worker has taken over */
async function takenOver(ids: readonly string[]): Promise<number> {
  const done = await world.waitFor(
    "jobs to be taken over",
    async () => {
      const found = (await jobs()).filter(({ id }) => ids.includes(id));
      return found.every(({ state }) => state === "completed") ? found : null;
    },
    MAX_TAKEOVER_MS,
  );
  return done.filter(({ attempts }) => attempts > 0).length;
}

it(
  "goes on through kills of its workers, takes proofs that were made while it was away, and loses nothing",
  async () => {
    world.traffic.start();
    await world.waitFor(
      "a proof by each worker",
      async () => ["one", "other"].every((name) => world.sequencer.hasLogged(`"worker":"${name}"`)),
      STEP_TIMEOUT_MS,
    );
    for (let kills = 1, takeovers = 0; takeovers < 2; kills++) {
      expect(kills, "kills that met a job").toBeLessThan(MAX_KILLS);
      const { active, killed } = await killBusyWorker();
      const startedAtMs = performance.now();
      takeovers += await takenOver(active);
      steps.push(`taken over after ${Math.round(performance.now() - startedAtMs)} ms`);
      await killed.process.start();
    }
    // Workers go on without their sequencer.
    await world.waitFor(
      "jobs that wait",
      async () => (await jobs()).filter(({ state }) => state !== "completed").length > 0,
      STEP_TIMEOUT_MS,
    );
    await world.sequencer.kill();
    await world.waitFor(
      "the proofs of all jobs",
      async () => (await jobs()).every(({ state }) => state === "completed"),
      STEP_TIMEOUT_MS,
    );
    await world.sequencer.start();
    await world.nextBatch();
    await world.settle();
    const audited = await audit(world);
    expect(audited, steps.join("\n")).toMatchObject({ lost: 0, doubled: 0, problems: [] });
    expect(audited.batchCount).toBeGreaterThan(4);
    expect(await world.get("/health")).toMatchObject({
      prover: { place: "queue", isReady: true, workerCount: 2, failingCode: null },
    });
    // Each batch of the ledger was proven once, but for those whose proof was lost with a worker.
    expect((await jobs()).filter(({ state }) => state !== "completed")).toEqual([]);
  },
  TEST_TIMEOUT_MS,
);
