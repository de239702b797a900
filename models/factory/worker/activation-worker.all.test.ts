import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "@openledger/foundation/database/database";
import { openDatabase } from "@openledger/foundation/database/open-database";
import { createLogger } from "@openledger/foundation/logger";
import {
  createTestDatabase,
  databaseAt,
  type TestDatabase,
} from "@openledger/foundation/testing/test-database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readFactoryConfig } from "../factory-config.ts";
import type { NewJob } from "../store/factory-records.ts";
import { FACTORY_PART } from "../store/factory-schema.ts";
import { JobFiles } from "../store/job-files.ts";
import { JobStore } from "../store/job-store.ts";
import { activationOf, openTicketQueues, sendRun, type TicketQueues } from "../store/job-tickets.ts";
import { Scratch } from "../store/scratch.ts";
import { type FactoryWorker, startWorker } from "./factory-worker.ts";

const rollup = { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" };
const folder = mkdtempSync(join(tmpdir(), "activations-"));
const silent = createLogger("test", "silent");

let home: TestDatabase;
let database: Database;
let queues: TicketQueues;
let jobs: JobStore;
/** Processes that prove, in the order of their starts. */
const proverIds: number[] = [];

beforeAll(async () => {
  home = await createTestDatabase();
  const config = databaseAt(home.url);
  database = await openDatabase(config, { part: FACTORY_PART, rollup, logger: silent });
  queues = await openTicketQueues(config, { logger: silent, migrates: true });
  jobs = new JobStore(database, { logger: silent, nowMs: Date.now });
  await jobs.open();
  await database.query("insert into bases (id, place, view, files) values ('own', 'own', '{}', '{}')");
  await database.query(
    `insert into datasets (id, leaf_id, rows_root, view) values ('rows-a', 2, '0x0', '{"people":[]}')`,
  );
});
afterAll(async () => {
  await queues?.close();
  await jobs?.close();
  await database?.close();
  await home?.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** A worker whose proofs never end: whoever opens a pipe that nobody writes waits for ever. */
async function heldWorker(): Promise<FactoryWorker & { stop(): Promise<void> }> {
  const deployment = join(folder, `deployment-${proverIds.length}.json`);
  execFileSync("mkfifo", [deployment]);
  const config = readFactoryConfig({ FACTORY_DEPLOYMENT_PATH: deployment, FACTORY_KERNELS: "wasm" });
  const own = await openTicketQueues(databaseAt(home.url), { logger: silent, migrates: false });
  const log = createLogger("test", "info", {
    write(line: string) {
      const { processId } = JSON.parse(line) as { processId?: number };
      if (processId !== undefined) proverIds.push(processId);
    },
  });
  const files = new JobFiles(database);
  const scratch = new Scratch(folder);
  const worker = startWorker({ config, database, files, jobs, queues: own, scratch, log });
  return {
    runningCount: 0,
    close: () => worker.close(),
    async stop() {
      await worker.close();
      await own.close();
    },
  };
}

async function proving(id: string): Promise<void> {
  const job = {
    recipe: {},
    size: null,
    registration: { state: "ready", percent: 0, activation: null, failure: null, statics: null },
    view: { id, leafId: 2, baseId: "own", datasetId: "rows-a", state: "done", modelId: 7, isServed: false },
  } as unknown as NewJob;
  await jobs.add(job, async () => 1);
  const begun = await jobs.change(id, ({ registration }) => ({
    job: { registration: { ...registration, state: "proving" }, proofRun: 1 },
  }));
  await sendRun(queues.activations, activationOf(begun));
}

const registrationOf = async (id: string) => (await jobs.get(id)).registration;
const begins = (count: number) => expect.poll(() => proverIds.length, { timeout: 20_000 }).toBe(count);

it("fails a proof whose process ends three times without a word", async () => {
  await proving("job-a");
  const worker = await heldWorker();
  for (let kill = 1; kill <= 3; kill++) {
    await begins(kill);
    expect((await registrationOf("job-a")).state).toBe("proving");
    process.kill(proverIds.at(-1)!, "SIGKILL");
  }
  await expect
    .poll(() => registrationOf("job-a"), { timeout: 20_000 })
    .toMatchObject({
      state: "failed",
      failure: { code: "MOD_FACTORY_TRAINER_ENDED" },
    });
  await worker.stop();
}, 90_000);

it("gives a proof to the next worker when one is stopped", async () => {
  const before = proverIds.length;
  await proving("job-b");
  const one = await heldWorker();
  await begins(before + 1);
  await one.stop();
  expect(await jobs.get("job-b")).toMatchObject({ registration: { state: "proving" }, proofStarts: 0 });
  const other = await heldWorker();
  await begins(before + 2);
  await other.stop();
}, 90_000);
