/**
 * Starts a Datanet host: `tsx datanets/host/main.ts`, settings from the environment (config.ts).
 * Logs "datanet host listens" with the URL once it does; SIGTERM or SIGINT stops it cleanly.
 */
import pino from "pino";
import { loadDeployment } from "../../circuits/registry/deployment.ts";
import { isRollupError } from "../../circuits/rollup-error.ts";
import { loadHostConfig } from "./config.ts";
import { collectHostProcessMetrics } from "./host-metrics.ts";
import { createHostProcess, type HostProcess } from "./host-process.ts";

/** A stop that takes longer than this is cut short; the store makes that safe. */
const MAX_STOP_MS = 10_000;

const createLogger = (level: string) =>
  pino({ level, base: { component: "datanets" }, timestamp: pino.stdTimeFunctions.isoTime });

async function main(): Promise<void> {
  const config = loadHostConfig(process.env);
  const deployment = loadDeployment(config.deploymentPath);
  const logger = createLogger(config.logLevel);
  let running: HostProcess | null = null;
  let isStopping = false;

  const exitAfterFailure = (error: unknown) => {
    logger.fatal({ err: error }, "datanet host stops after a failure");
    process.exit(1);
  };
  const stop = (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, "datanet host stops");
    setTimeout(() => process.exit(1), MAX_STOP_MS).unref();
    Promise.resolve(running?.stop()).then(() => process.exit(0), exitAfterFailure);
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  process.on("uncaughtException", exitAfterFailure);
  process.on("unhandledRejection", exitAfterFailure);

  running = await createHostProcess(config, deployment, { logger, onFatal: exitAfterFailure });
  collectHostProcessMetrics(running.metrics);
  const url = await running.listen();
  const { chainId, rollupAddress } = deployment;
  logger.info({ url, chainId, rollupAddress }, "datanet host listens");
}

main().catch((error: unknown) => {
  const facts = isRollupError(error) ? { code: error.code, data: error.data } : { err: error };
  createLogger("info").fatal(facts, isRollupError(error) ? error.message : "datanet host cannot start");
  process.exit(1);
});
