/**
 * Starts a ModelFactory: `tsx models/factory/main.ts`, settings from the environment (factory-config.ts).
 * Logs "factory listens" with the URL once it does; SIGTERM or SIGINT stops it cleanly.
 */
import pino from "pino";
import { isRollupError } from "../../circuits/rollup-error.ts";
import { readFactoryConfig } from "./factory-config.ts";
import type { FactoryProcess } from "./factory-process.ts";
import { startFactory } from "./start-factory.ts";

/** A stop that takes longer than this is cut short; the store makes that safe. */
const MAX_STOP_MS = 10_000;

const createLogger = (level: string) =>
  pino({ level, base: { component: "factory" }, timestamp: pino.stdTimeFunctions.isoTime });

async function main(): Promise<void> {
  const config = readFactoryConfig(process.env);
  const logger = createLogger(config.logLevel);
  let running: FactoryProcess | null = null;
  let isStopping = false;

  const exitAfterFailure = (error: unknown) => {
    logger.fatal({ err: error }, "factory stops after a failure");
    process.exit(1);
  };
  const stop = (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, "factory stops");
    setTimeout(() => process.exit(1), MAX_STOP_MS).unref();
    Promise.resolve(running?.stop()).then(() => process.exit(0), exitAfterFailure);
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  process.on("uncaughtException", exitAfterFailure);
  process.on("unhandledRejection", exitAfterFailure);

  running = await startFactory(config, { logger, onFatal: exitAfterFailure });
}

main().catch((error: unknown) => {
  const facts = isRollupError(error) ? { code: error.code, data: error.data } : { err: error };
  createLogger("info").fatal(facts, isRollupError(error) ? error.message : "factory cannot start");
  process.exit(1);
});
