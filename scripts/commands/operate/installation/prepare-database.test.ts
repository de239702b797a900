import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeDeployment } from "@openledger/circuits/registry/deployment";
import { HOST_PART } from "@openledger/datanets/store/host-schema";
import { addressFor } from "@openledger/foundation/database/address";
import { Database } from "@openledger/foundation/database/database";
import { JOBS } from "@openledger/foundation/database/job-tables";
import type { DatabasePart } from "@openledger/foundation/database/migrate";
import { createLogger } from "@openledger/foundation/logger";
import {
  administer,
  createTestDatabase,
  databaseAt,
  type TestDatabase,
} from "@openledger/foundation/testing/test-database";
import { FACTORY_PART } from "@openledger/models/factory/store/factory-schema";
import { openTicketQueues } from "@openledger/models/factory/store/job-tickets";
import { ANSWERS_PART } from "@openledger/models/serving/answers/answer-store";
import { KEYS_PART } from "@openledger/models/serving/api-keys";
import { openSettlingQueue, settlingTask } from "@openledger/models/settling/daemon/settling-queue";
import { openProofQueue } from "@openledger/prover/queue/prove-queue";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleDeployment } from "./deployment.fixtures.ts";
import { DATABASE_SERVICES, type DatabaseService, databasePaths } from "./installation.ts";
import { prepareDatabase } from "./prepare-database.ts";

const logger = createLogger("test", "silent");
const rollup = { chainId: sampleDeployment.chainId, rollupAddress: sampleDeployment.rollupAddress };
let home: TestDatabase;
let folder: string;
let prefix: string;

const urlOf = async (service: DatabaseService) => readFile(databasePaths(folder).urlOf(service), "utf8");
const prepare = () =>
  prepareDatabase(
    { deploymentPath: join(folder, "deployment.json"), folder },
    { OPENLEDGER_DATABASE_URL: home.url, OPENLEDGER_LOG_LEVEL: "silent" },
  );

beforeAll(async () => {
  home = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), "prepare-database-"));
  await mkdir(databasePaths(folder).folder, { recursive: true });
  await writeFile(join(folder, "deployment.json"), encodeDeployment(sampleDeployment));
  prefix = /test_\w+/.exec(home.url)![0];
  for (const service of DATABASE_SERVICES) {
    const url = addressFor(home.url, `${prefix}_${service.replaceAll("-", "_")}`, `of ${service}`);
    await writeFile(databasePaths(folder).urlOf(service), url, { mode: 0o600 });
  }
});
afterAll(async () => {
  await home.drop();
  const server = await createTestDatabase();
  for (const service of DATABASE_SERVICES)
    await administer(server.url, `drop role if exists ${prefix}_${service.replaceAll("-", "_")}`);
  await server.drop();
  await rm(folder, { recursive: true });
});

describe("openledger operator prepare-database", () => {
  it("gives each service the rows of its own parts, and nothing else", async () => {
    expect(await prepare()).toEqual([...DATABASE_SERVICES]);
    const open = async (service: DatabaseService, part: DatabasePart, isOfRollup: boolean) =>
      Database.open({ url: await urlOf(service), part, rollup: isOfRollup ? rollup : null, logger });
    const host = await open("datanet-host", HOST_PART, true);
    await host.query("insert into names values (1, 'Mia', 0, '', '')");
    expect(await host.query("select name from names")).toEqual([{ name: "Mia" }]);
    for (const statement of [
      "create table mine (id integer)",
      "create schema mine",
      "create temporary table mine (id integer)",
      "alter table names add column mine integer",
      "drop table names",
      "truncate names",
      "update openledger.parts set version = 0",
      "select * from serving.keys",
      "select * from answers.answers",
      "select * from jobs.job",
      "create role mine",
    ])
      await expect(host.query(statement), statement).rejects.toMatchObject({ code: "SRV_DATABASE_FAILED" });
    await host.close();
    const keys = await open("models", KEYS_PART, false);
    await expect(keys.query("select * from datanets.names")).rejects.toMatchObject({
      data: { reason: "42501" },
    });
    await keys.close();
    await (await open("models", ANSWERS_PART, true)).close();
    const prover = await open("prover", JOBS, false);
    for (const statement of ["select * from datanets.names", "insert into queue (name) values ('mine')"])
      await expect(prover.query(statement)).rejects.toMatchObject({ data: { reason: "42501" } });
    await prover.close();
    const trainer = await open("factory-worker", FACTORY_PART, true);
    await trainer.query("select count(*) from jobs");
    await expect(trainer.query("delete from jobs")).rejects.toMatchObject({ data: { reason: "42501" } });
    await trainer.close();
  });

  it("lets sequencer and factory put jobs for the workers, though none of them may make tables", async () => {
    const factory = await openTicketQueues(databaseAt(await urlOf("factory")), { logger, migrates: true });
    await factory.close();
    const trainer = await openTicketQueues(databaseAt(await urlOf("factory-worker")), {
      logger,
      migrates: false,
    });
    await trainer.close();
    const sequencer = await openProofQueue(databaseAt(await urlOf("sequencer")), { logger, migrates: true });
    await sequencer.send("a", { circuit: "none", contentHash: "none" });
    const worker = await openProofQueue(databaseAt(await urlOf("prover")), { logger, migrates: false });
    expect(await worker.counts()).toMatchObject({ waitingCount: 1 });
    await sequencer.remove("a");
    await sequencer.close();
    await worker.close();
  });

  it("lets model servers share the settling of epochs, though they may make no tables", async () => {
    const queue = await openSettlingQueue(databaseAt(await urlOf("models")), { logger });
    const { key, task } = settlingTask(rollup, { modelId: 7, epoch: 1 });
    const run = async () => ({ batchNumber: 3 });
    const signal = new AbortController().signal;
    expect(await queue.attempt(key, task, { run, signal })).toEqual({
      isOurs: true,
      answer: { batchNumber: 3 },
    });
    await queue.remove(key);
    await queue.close();
  });

  it("changes nothing when it is run again, and brings an older version to this one", async () => {
    await prepare();
    const older = { ...HOST_PART, migrations: [...HOST_PART.migrations, "create table later (id integer)"] };
    const url = await urlOf("datanet-host");
    await expect(Database.open({ url, part: older, rollup, logger })).rejects.toMatchObject({
      code: "SRV_DATABASE_SCHEMA",
      data: { reason: "older", found: HOST_PART.migrations.length },
    });
    const owned = await Database.open({ url: home.url, part: older, rollup, logger });
    await owned.close();
    await expect(prepare()).rejects.toMatchObject({ code: "SRV_DATABASE_SCHEMA", data: { reason: "newer" } });
  });

  it("refuses a database of another rollup", async () => {
    const other = await createTestDatabase();
    const foreign = { chainId: 1, rollupAddress: `0x${"9".repeat(40)}` };
    await (await Database.open({ url: other.url, part: ANSWERS_PART, rollup: foreign, logger })).close();
    await expect(
      prepareDatabase(
        { deploymentPath: join(folder, "deployment.json"), folder },
        { OPENLEDGER_DATABASE_URL: other.url, OPENLEDGER_LOG_LEVEL: "silent" },
      ),
    ).rejects.toMatchObject({ code: "SRV_WRONG_DATABASE" });
    await other.drop();
  });
});
