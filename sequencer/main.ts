/**
 * Starts the sequencer: `tsx sequencer/main.ts`, settings from the environment (config.ts).
 * Logs "sequencer listens" with the URL once it does; SIGTERM or SIGINT stops it cleanly.
 */
import { loadDeployment } from "../circuits/registry/deployment.ts";
import { isRollupError } from "../circuits/rollup-error.ts";
import { loadConfig } from "./config.ts";
import { createLogger } from "./logger.ts";
import { collectProcessMetrics } from "./metrics.ts";
import { createSequencerProcess, type SequencerProcess } from "./sequencer-process.ts";

/** A stop that takes longer than this is cut short; the log makes that safe. */
const MAX_STOP_MS = 10_000;

const bootLogger = createLogger({ level: "info", component: "sequencer" });

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const deployment = loadDeployment(config.deploymentPath);
  const logger = createLogger({ level: config.logLevel, component: "sequencer" });
  let running: SequencerProcess | null = null;
  let isStopping = false;

  const exitAfterFailure = (error: unknown) => {
    // Memory may be ahead of the disk: no clean stop, the next start replays the log.
    logger.fatal({ err: error }, "sequencer stops after a failure");
    process.exit(1);
  };
  const stop = (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, "sequencer stops");
    setTimeout(() => process.exit(1), MAX_STOP_MS).unref();
    Promise.resolve(running?.stop()).then(() => process.exit(0), exitAfterFailure);
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  process.on("uncaughtException", exitAfterFailure);
  process.on("unhandledRejection", exitAfterFailure);

  running = await createSequencerProcess(config, deployment, { logger, onFatal: exitAfterFailure });
  collectProcessMetrics(running.metrics);
  const url = await running.listen();
  logger.info(
    { url, chainId: deployment.chainId, rollupAddress: deployment.rollupAddress },
    "sequencer listens",
  );
}

main().catch((error: unknown) => {
  const facts = isRollupError(error) ? { code: error.code, data: error.data } : { err: error };
  bootLogger.fatal(facts, isRollupError(error) ? error.message : "sequencer cannot start");
  process.exit(1);
});
