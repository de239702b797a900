/** Everything that a running factory consists of, wired up; main.ts gives it an environment and signals. */
import { mkdir, readdir, stat } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { RequestGuard } from "@openledger/datanets/host/request-guard";
import { ProcessSessions } from "@openledger/datanets/host/request-sessions";
import { HostLedger } from "@openledger/datanets/store/ledger-view";
import type { Database } from "@openledger/foundation/database/database";
import { openDatabase } from "@openledger/foundation/database/open-database";
import type { Logger } from "@openledger/foundation/logger";
import { MAX_THREAD_COUNT } from "../engine/kernels/kernels.ts";
import { nativeKernelSets } from "../engine/kernels/native-kernels.ts";
import { factoryError } from "../model-errors.ts";
import { ANSWERS_PART } from "../serving/answers/answer-store.ts";
import { createFactoryApp } from "./factory-app.ts";
import type { FactoryConfig } from "./factory-config.ts";
import type { FactoryContext } from "./factory-context.ts";
import { createFactoryMetrics, type FactoryMetrics } from "./factory-metrics.ts";
import { termsOfForm } from "./recipe-form.ts";
import { ServedModels, type StartSettler } from "./served-models.ts";
import { BaseRegistry } from "./store/base-registry.ts";
import { DatasetStore } from "./store/dataset-store.ts";
import { type CircuitSize, FactoryStore } from "./store/factory-store.ts";
import { JobRunner } from "./store/job-runner.ts";
import { JobStore } from "./store/job-store.ts";
import { SideTasks } from "./tasks/side-tasks.ts";

/** Age up to which an answer of the sequencer is used again. */
const LEDGER_CACHE_MS = 2_000;
/** Short computations at a time, of all accounts. */
const MAX_SIDE_TASKS = 4;

export interface FactoryProcess {
  readonly metrics: FactoryMetrics;
  /** @returns the URL */
  listen(): Promise<string>;
  /** Ends jobs' processes, which go on at the next start. */
  stop(): Promise<void>;
}

interface FactoryModules {
  /** Client without a key. */
  readonly client: LedgerClient;
  readonly circuitSizes: () => Promise<readonly CircuitSize[]>;
  /** Absent if nothing is settled. */
  readonly startSettler?: StartSettler;
  readonly logger: Logger;
  readonly onFatal: (error: unknown) => void;
  readonly nowMs?: () => number;
}

/**
 * @throws SRV_WRONG_DIRECTORY, SRV_STORE_FORMAT, SRV_STORE_LOCKED, SRV_STORE_CORRUPT, SRV_STORE_FAILED, SRV_DATABASE_…, MOD_… of
 * bases that are no models
 */
export async function createFactoryProcess(
  settings: FactoryConfig,
  { circuitSizes, client, logger, nowMs = Date.now, onFatal, startSettler }: FactoryModules,
): Promise<FactoryProcess> {
  const config = onThisMachine(settings);
  await initPoseidon();
  await mkdir(config.dataPath, { recursive: true });
  let isHealthy = true;
  const store = await FactoryStore.open(config.dataPath, storeRollupOf(client), (error) => {
    isHealthy = false;
    onFatal(error);
  });
  let database: Database | null = null;
  const closeStores = async () => {
    await database?.close();
    await store.close();
  };
  try {
    database = await openDatabase(config, { part: ANSWERS_PART, rollup: storeRollupOf(client), logger });
    const bases = new BaseRegistry(config, store);
    const datasets = new DatasetStore(config, store, client, nowMs);
    const jobs = new JobStore(store, nowMs);
    await Promise.all([bases.load(), datasets.load(), jobs.load()]);
    const taskOf: FactoryContext["taskOf"] = ({ recipe, view }) => ({
      basePlace: bases.require(view.baseId).place,
      recipe,
      rowsFolder: datasets.folderOf(view.datasetId),
      kernels: config.kernels as "native" | "wasm",
      threadCount: config.threadCount,
      maxMemoryBytes: config.maxMemoryBytes,
    });
    const runner = new JobRunner(
      jobs,
      {
        maxRunning: config.maxRunning,
        dataPath: config.dataPath,
        sideTimeoutMs: config.sideTimeoutMs,
        jobSilenceMs: config.jobSilenceMs,
        taskOf: (job) => ({
          ...taskOf(job),
          samplePrompts: job.view.form.samplePrompts,
          publishRows: job.view.form.publishRows,
          registration: job.size === null ? null : { size: job.size, terms: termsOfForm(job.view.form) },
        }),
      },
      logger,
    );
    const served = new ServedModels({
      bases,
      jobs,
      client,
      config,
      database,
      logger,
      startSettler,
      folderOf: (jobId) => runner.folderOf(jobId),
    });
    const side = new SideTasks(MAX_SIDE_TASKS, config);
    const metrics = createFactoryMetrics({ jobs: () => jobs.all(), computations: () => side.counts });
    const sessions = new ProcessSessions();
    const ledger = new HostLedger({ sequencerUrl: config.sequencerUrl, cacheMs: LEDGER_CACHE_MS }, nowMs);
    let origin = config.publicUrl.replace(/\/+$/, "");
    let sizes: readonly CircuitSize[] | null = null;
    const app = await createFactoryApp({
      config,
      session: sessions.session,
      client,
      bases,
      datasets,
      jobs,
      runner,
      served,
      side,
      taskOf,
      metrics,
      logger,
      nowMs,
      guard: new RequestGuard({ domain: client.domain, sessions, ledger, nowMs }),
      origin: () => origin,
      isHealthy: () => isHealthy,
      async circuitSizes() {
        sizes ??= await circuitSizes().catch((error: unknown) => {
          logger.warn({ err: error }, "the rollup's circuits cannot be read");
          return null;
        });
        return sizes;
      },
      async requireRoom() {
        const { dataPath, maxStoreBytes } = config;
        if ((await bytesBelow(dataPath)) < maxStoreBytes) return;
        throw factoryError("SRV_DISK_FULL", `the factory keeps ${maxStoreBytes} bytes and no more`, {
          data: { maxStoreBytes },
        });
      },
    });
    return {
      metrics,
      async listen() {
        await runner.takeUp();
        await app.listen({ host: config.host, port: config.port });
        const { address, family, port } = app.server.address() as AddressInfo;
        const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
        if (origin === "") origin = url;
        runner.start();
        void served.takeUp(url);
        return url;
      },
      async stop() {
        isHealthy = false;
        await app.close();
        await Promise.all([runner.close(), served.close(), side.close()]);
        await closeStores();
      },
    };
  } catch (error) {
    await closeStores();
    throw error;
  }
}

function onThisMachine(config: FactoryConfig): FactoryConfig {
  const { kernels, threadCount } = config;
  const fastest = nativeKernelSets().length > 0 ? "native" : "wasm";
  return {
    ...config,
    kernels: kernels === "fastest" ? fastest : kernels,
    threadCount: threadCount === 0 ? Math.min(availableParallelism(), MAX_THREAD_COUNT) : threadCount,
  };
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    // It may be gone since: a part that got its name.
    bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => ({ size: 0 }))).size;
  }
  return bytes;
}
