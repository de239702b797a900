/**
 * A worker of the factory: trains and proves what servers have queued, FACTORY_MAX_RUNNING jobs at a time. A server runs one beside
 * its routes; more of them run as processes of their own (main.ts), on any machine that reaches the database.
 */
import { mkdir } from "node:fs/promises";
import { availableParallelism, hostname } from "node:os";
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { openDatabase } from "@openledger/foundation/database/open-database";
import type { Logger } from "@openledger/foundation/logger";
import { MAX_THREAD_COUNT } from "../../engine/kernels/kernels.ts";
import { nativeKernelSets } from "../../engine/kernels/native-kernels.ts";
import type { FactoryConfig } from "../factory-config.ts";
import { FACTORY_PART } from "../store/factory-schema.ts";
import { JobFiles } from "../store/job-files.ts";
import { JobStore } from "../store/job-store.ts";
import { openTicketQueues } from "../store/job-tickets.ts";
import { Scratch } from "../store/scratch.ts";
import { ActivationWorker } from "./activation-worker.ts";
import { TrainWorker } from "./train-worker.ts";
import type { WorkerModules } from "./worker-modules.ts";

/** Connections of a worker beside those of its queues. */
const MAX_CONNECTIONS = 4;

export interface FactoryWorker {
  readonly runningCount: number;
  /** Ends the processes that compute, and gives their jobs to other workers. */
  close(): Promise<void>;
}

/** Trains and proves with the connections of its process. */
export function startWorker(modules: Omit<WorkerModules, "name">): FactoryWorker {
  const named = { ...modules, name: `${hostname()}-${process.pid}` };
  if (modules.config.maxRunning === 0) return { runningCount: 0, close: async () => {} };
  const training = new TrainWorker(named);
  const activation = new ActivationWorker(named);
  return {
    get runningCount() {
      return training.runningCount;
    },
    async close() {
      await Promise.all([training.close(), activation.close()]);
    },
  };
}

/**
 * Starts a worker as a process of its own.
 * @throws SRV_DATABASE_UNREACHABLE; SRV_DATABASE_SCHEMA where no server of the factory has made its tables
 */
export async function openWorker(
  settings: FactoryConfig,
  { logger }: { readonly logger: Logger },
): Promise<FactoryWorker> {
  const config = onThisMachine(settings);
  const { chainId, deployedIn, rollupAddress } = loadDeployment(config.deploymentPath);
  await mkdir(config.dataPath, { recursive: true });
  const scratch = new Scratch(config.dataPath);
  await scratch.clean();
  const database = await openDatabase(config, {
    part: FACTORY_PART,
    rollup: { chainId, rollupAddress, deployedIn },
    logger,
    migrates: false,
    maxConnections: MAX_CONNECTIONS,
  });
  try {
    const queues = await openTicketQueues(config, { logger, migrates: false });
    const jobs = new JobStore(database, { logger, nowMs: Date.now });
    await jobs.open();
    const files = new JobFiles(database);
    const worker = startWorker({ config, database, files, jobs, queues, scratch, log: logger });
    return {
      get runningCount() {
        return worker.runningCount;
      },
      async close() {
        await worker.close();
        await queues.close();
        await jobs.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Settings with what this machine has: kernels and threads. */
export function onThisMachine(config: FactoryConfig): FactoryConfig {
  const { kernels, threadCount } = config;
  const fastest = nativeKernelSets().length > 0 ? "native" : "wasm";
  return {
    ...config,
    kernels: kernels === "fastest" ? fastest : kernels,
    threadCount: threadCount === 0 ? Math.min(availableParallelism(), MAX_THREAD_COUNT) : threadCount,
  };
}
