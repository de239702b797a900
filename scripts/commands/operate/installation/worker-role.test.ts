import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAddress } from "@openledger/foundation/database/address";
import { JOBS } from "@openledger/foundation/database/job-tables";
import { openDatabase } from "@openledger/foundation/database/open-database";
import { createLogger } from "@openledger/foundation/logger";
import {
  createTestDatabase,
  databaseAt,
  type TestDatabase,
} from "@openledger/foundation/testing/test-database";
import { FACTORY_PART } from "@openledger/models/factory/store/factory-schema";
import { openTicketQueues, sendRun } from "@openledger/models/factory/store/job-tickets";
import { openProofQueue } from "@openledger/prover/queue/prove-queue";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeWorkerRole } from "./worker-role.ts";

let home: TestDatabase;
let folder: string;
beforeAll(async () => {
  home = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), "worker-role-"));
});
afterAll(async () => {
  await home?.drop();
  await rm(folder, { recursive: true });
});

it("writes the address of a role that takes jobs and makes no tables", async () => {
  const out = join(folder, "url");
  // The test database drops the role of this name.
  const name = /test_\w+/.exec(home.url)![0].concat("_worker");
  await writeWorkerRole({ name, out }, { OPENLEDGER_DATABASE_URL: home.url, OPENLEDGER_LOG_LEVEL: "silent" });
  expect((await stat(out)).mode & 0o777).toBe(0o600);
  const config = databaseAt((await readFile(out, "utf8")).trim());
  const logger = createLogger("test", "silent");
  const queue = await openProofQueue(config, { logger, migrates: false });
  expect(await queue.counts()).toEqual({ workerCount: 0, waitingCount: 0, activeCount: 0 });
  await queue.close();
  await expect(openProofQueue(config, { logger, migrates: true })).rejects.toMatchObject({
    data: { reason: "42501" },
  });
});

it("writes nothing of the owner's where the owner stands behind the ?", async () => {
  const out = join(folder, "behind-url");
  const name = /test_\w+/.exec(home.url)![0].concat("_worker");
  const { database, host, user } = readAddress(home.url);
  const url = `postgres://127.0.0.1/${database}?host=${encodeURIComponent(host)}&user=${user}&password=adminpw`;
  await writeWorkerRole({ name, out }, { OPENLEDGER_DATABASE_URL: url, OPENLEDGER_LOG_LEVEL: "silent" });
  const written = (await readFile(out, "utf8")).trim();
  expect(written).not.toContain("adminpw");
  const worker = await openDatabase(databaseAt(written), {
    part: JOBS,
    rollup: null,
    logger: createLogger("test", "silent"),
    migrates: false,
  });
  expect(await worker.query("select current_user::text as name")).toEqual([{ name }]);
  await expect(worker.query("select from pg_authid")).rejects.toMatchObject({ data: { reason: "42501" } });
  await worker.close();
  // What may hold a role or a secret is refused by its name, before a role is made.
  await expect(
    writeWorkerRole(
      { name, out: join(folder, "none") },
      { OPENLEDGER_DATABASE_URL: `${url}&passfile=%2Fowner`, OPENLEDGER_LOG_LEVEL: "silent" },
    ),
  ).rejects.toMatchObject({ code: "SRV_CONFIG_INVALID" });
  await expect(stat(join(folder, "none"))).rejects.toThrow("ENOENT");
});

it("gives a factory's worker its rights, and none to a database without a factory", async () => {
  const out = join(folder, "factory-url");
  const name = /test_\w+/.exec(home.url)![0].concat("_worker");
  const environment = { OPENLEDGER_DATABASE_URL: home.url, OPENLEDGER_LOG_LEVEL: "silent" };
  const write = () => writeWorkerRole({ name, out, isForFactory: true }, environment);
  await expect(write()).rejects.toMatchObject({ code: "SRV_DATABASE_SCHEMA", data: { part: "factory" } });
  const logger = createLogger("test", "silent");
  const rollup = { chainId: 31337, rollupAddress: "0x00000000000000000000000000000000000000a1" };
  const open = (url: string, migrates: boolean) =>
    openDatabase(databaseAt(url), { part: FACTORY_PART, rollup, logger, migrates });
  await (await open(home.url, true)).close();
  await write();
  const queues = await openTicketQueues(databaseAt(home.url), { logger, migrates: true });
  for (const queue of [queues.trainings, queues.activations])
    await sendRun(queue, { jobId: "job-1", run: 1 });
  await queues.close();
  const worker = databaseAt((await readFile(out, "utf8")).trim());
  const seen = await openTicketQueues(worker, { logger, migrates: false });
  for (const queue of [seen.trainings, seen.activations])
    expect(await queue.counts()).toMatchObject({ waitingCount: 1 });
  await seen.close();
  const database = await open((await readFile(out, "utf8")).trim(), false);
  expect(await database.query("update jobs set holder = null")).toEqual([]);
  expect(await database.query("select from contents")).toEqual([]);
  for (const denied of ["select from sessions", "delete from jobs", "insert into datasets default values"])
    await expect(database.query(denied), denied).rejects.toMatchObject({ data: { reason: "42501" } });
  await database.close();
});

it("refuses a name that needs quotes", async () => {
  await expect(
    writeWorkerRole(
      { name: 'x"', out: join(folder, "other") },
      { OPENLEDGER_DATABASE_URL: home.url, OPENLEDGER_LOG_LEVEL: "silent" },
    ),
  ).rejects.toMatchObject({ code: "SRV_CONFIG_INVALID" });
  await expect(stat(join(folder, "other"))).rejects.toThrow("ENOENT");
});
