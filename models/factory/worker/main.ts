/**
 * Starts a worker of the ModelFactory: `tsx models/factory/worker/main.ts`, settings from the environment (factory-config.ts).
 * Logs "factory worker runs" once it takes jobs; SIGTERM or SIGINT gives them back.
 */
import { startHealthServer } from "@openledger/foundation/http/health-server";
import { runUntilStopped } from "@openledger/foundation/run-until-stopped";
import { collectDefaultMetrics, Registry } from "prom-client";
import { readFactoryConfig } from "../factory-config.ts";
import { openWorker } from "./factory-worker.ts";

await runUntilStopped({
  name: "factory-worker",
  readConfig: () => readFactoryConfig(process.env),
  async create(config, { logger }) {
    const worker = await openWorker(config, { logger });
    const registry = new Registry();
    collectDefaultMetrics({ register: registry, prefix: "factory_" });
    const health =
      config.healthPort === undefined
        ? null
        : await startHealthServer({
            port: config.healthPort,
            registry,
            log: logger,
            health: () => ({ isHealthy: true, running: worker.runningCount }),
          });
    logger.info({ maxRunning: config.maxRunning }, "factory worker runs");
    return {
      async stop() {
        await worker.close();
        await health?.close();
      },
    };
  },
});
