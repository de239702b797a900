/**
 * Builds a running factory (the server that trains adapters and registers models) from its settings: database, workers, ledger
 * client, routes. start-factory.ts starts and stops it.
 */
import { mkdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { RequestGuard } from "@openledger/datanets/host/request-guard";
import { DatabaseSessions } from "@openledger/datanets/host/request-sessions";
import { HostLedger } from "@openledger/datanets/store/ledger-view";
import type { Queries } from "@openledger/foundation/database/database";
import { openDatabase } from "@openledger/foundation/database/open-database";
import type { Logger } from "@openledger/foundation/logger";
import { refuseEarlierStore } from "@openledger/foundation/store/earlier-store";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import { factoryError } from "../model-errors.ts";
import { ANSWERS_PART } from "../serving/answers/answer-store.ts";
import { OWN_BASE } from "../tuning/base/base-address.ts";
import { createFactoryApp } from "./factory-app.ts";
import type { FactoryConfig } from "./factory-config.ts";
import { createFactoryMetrics, type FactoryMetrics } from "./factory-metrics.ts";
import { ServedModels, type StartSettler } from "./served-models.ts";
import { BaseRegistry } from "./store/base-registry.ts";
import { DatasetStore, fetchDatasetRows } from "./store/dataset-store.ts";
import type { CircuitSize } from "./store/factory-records.ts";
import { FACTORY_PART } from "./store/factory-schema.ts";
import { JobControl } from "./store/job-control.ts";
import { JobFiles } from "./store/job-files.ts";
import { JobStore } from "./store/job-store.ts";
import { openTicketQueues, type TicketQueues } from "./store/job-tickets.ts";
import { Scratch } from "./store/scratch.ts";
import { writeDatasetRows } from "./tasks/dataset-files.ts";
import { SideTasks } from "./tasks/side-tasks.ts";
import { type FactoryWorker, onThisMachine, startWorker } from "./worker/factory-worker.ts";

/** Age up to which an answer of the sequencer is used again. */
const LEDGER_CACHE_MS = 2_000;
/** Short computations at a time, of all accounts. */
const MAX_SIDE_TASKS = 4;

export interface FactoryProcess {
  readonly metrics: FactoryMetrics;
  /** @returns the URL */
  listen(): Promise<string>;
  /** Ends jobs' processes: another worker goes on with them, or the next start. */
  stop(): Promise<void>;
}

interface FactoryModules {
  /** Client without a key. */
  readonly client: LedgerClient;
  /** Block of the rollup's deployment; absent: not known. */
  readonly deployedIn?: StoreRollup["deployedIn"];
  readonly circuitSizes: () => Promise<readonly CircuitSize[]>;
  /** Absent if nothing is settled. */
  readonly startSettler?: StartSettler;
  readonly logger: Logger;
  readonly nowMs?: () => number;
}

/**
 * @throws SRV_STORE_FORMAT, SRV_DATABASE_UNREACHABLE, SRV_DATABASE_ENCODING, SRV_DATABASE_SCHEMA, SRV_WRONG_DATABASE, MOD_… of bases
 * that are no models
 */
export async function createFactoryProcess(
  settings: FactoryConfig,
  { circuitSizes, client, deployedIn, logger, nowMs = Date.now, startSettler }: FactoryModules,
): Promise<FactoryProcess> {
  const config = onThisMachine(settings);
  refuseEarlierStore("factory", config.dataPath);
  await initPoseidon();
  await mkdir(config.dataPath, { recursive: true });
  const scratch = new Scratch(config.dataPath);
  await scratch.clean();
  const rollup = { ...storeRollupOf(client), deployedIn };
  const opened: { close(): Promise<void> }[] = [];
  const closeAll = async () => {
    for (const one of opened.reverse()) await one.close();
  };
  try {
    const answers = await openDatabase(config, { part: ANSWERS_PART, rollup, logger });
    opened.push(answers);
    const database = await openDatabase(config, { part: FACTORY_PART, rollup, logger });
    opened.push(database);
    const queues: TicketQueues = await openTicketQueues(config, { logger, migrates: true });
    opened.push(queues);
    const jobs = new JobStore(database, { logger, nowMs });
    await jobs.open();
    opened.push(jobs);
    const bases = new BaseRegistry(config, database);
    await bases.load();
    const datasets = new DatasetStore(config, { database, client, scratch, nowMs });
    const files = new JobFiles(database);
    const { maxJobsPerAccount } = config;
    const control = new JobControl(jobs, { database, queues, maxJobsPerAccount, log: logger });
    const served = new ServedModels({
      bases,
      jobs,
      client,
      config,
      database: answers,
      files,
      logger,
      startSettler,
    });
    const side = new SideTasks(MAX_SIDE_TASKS, config);
    const orNull = (error: unknown) => {
      logger.warn({ err: error }, "the database's jobs cannot be counted");
      return null;
    };
    const metrics = createFactoryMetrics({
      jobs: () => jobs.counts().catch(orNull),
      places: () => queues.trainings.counts().then(({ workerCount }) => workerCount, orNull),
      computations: () => side.counts,
      database,
    });
    const sessions = new DatabaseSessions(database);
    const { sequencerUrl, serverToken } = config;
    const ledger = new HostLedger({ sequencerUrl, serverToken, cacheMs: LEDGER_CACHE_MS }, nowMs);
    let origin = config.publicUrl.replace(/\/+$/, "");
    let sizes: readonly CircuitSize[] | null = null;
    let worker: FactoryWorker | null = null;
    let isRunning = true;
    const app = await createFactoryApp({
      config,
      sessions,
      client,
      bases,
      datasets,
      jobs,
      control,
      files,
      queues,
      served,
      side,
      metrics,
      logger,
      nowMs,
      guard: new RequestGuard({ domain: client.domain, sessions, ledger, nowMs }),
      origin: () => origin,
      runningCount: () => worker?.runningCount ?? 0,
      isHealthy: async () => isRunning && (await database.isReachable()),
      async circuitSizes() {
        sizes ??= await circuitSizes().catch((error: unknown) => {
          logger.warn({ err: error }, "the rollup's circuits cannot be read");
          return null;
        });
        return sizes;
      },
      async requireRoom() {
        const { maxStoreBytes } = config;
        if ((await storedBytes(database)) < maxStoreBytes) return;
        throw factoryError("SRV_DISK_FULL", `the factory keeps ${maxStoreBytes} bytes and no more`, {
          data: { maxStoreBytes },
        });
      },
      withTask: ({ baseId, datasetId }, work) =>
        scratch.use(async (folder) => {
          const [rowsFolder, jobFolder] = [join(folder, "rows"), join(folder, "job")];
          const position = baseId === null ? OWN_BASE : (await bases.require(baseId)).place;
          await writeDatasetRows(rowsFolder, await fetchDatasetRows(database, datasetId));
          const { maxMemoryBytes, threadCount } = config;
          const kernels = config.kernels as "native" | "wasm";
          return work({
            basePlace: position,
            rowsFolder,
            jobFolder,
            kernels,
            threadCount,
            maxMemoryBytes,
          });
        }),
    });
    return {
      metrics,
      async listen() {
        await app.listen({ host: config.host, port: config.port });
        const { address, family, port } = app.server.address() as AddressInfo;
        const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
        if (origin === "") origin = url;
        worker = startWorker({ config, database, files, jobs, queues, scratch, log: logger });
        control.start();
        served.takeUp(url);
        return url;
      },
      async stop() {
        isRunning = false;
        await app.close();
        await Promise.all([worker?.close(), control.close(), served.close(), side.close()]);
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Bytes of rows, states and models. */
async function storedBytes(queries: Queries): Promise<number> {
  const [row] = await queries.query<{ bytes: string }>(
    `select (select coalesce(sum(stored_bytes), 0) from datasets) + (select coalesce(sum(size_bytes), 0) from files) as bytes`,
  );
  return Number(row!.bytes);
}
