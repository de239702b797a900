/**
 * Life of a service process, from settings to a clean stop: signals, fatal errors, exit status. main.ts of the
 * sequencer, the bridge, the hosts and the queue's workers run through it.
 */
import { createLogger, type Logger } from "./logger.ts";
import { keepFilesPrivate } from "./private-files.ts";
import { isRollupError } from "./rollup-error.ts";

/** Maximum milliseconds of a clean stop. A longer one is cut short; the stores of all services make that safe. */
const MAX_STOP_MS = 10_000;

/**
 * Ends the process, with 1, where a stop hangs: on Ethereum, on the database, on another process. Call it when the stop
 * begins.
 */
export function cutStopShort(logger: Pick<Logger, "warn">, name: string): void {
  setTimeout(() => {
    logger.warn({ afterMs: MAX_STOP_MS }, `${name} is cut short in its stop: something did not answer`);
    process.exit(1);
  }, MAX_STOP_MS).unref();
}

/**
 * Resolves with the first SIGTERM or SIGINT. Listeners stay until the stop's end: after a `once` that is over,
 * signal-exit (proper-lockfile has it) takes its own listener for the only one, and kills the process in its stop. A
 * second signal ends it.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isTold = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const)
      process.on(signal, () => {
        if (isTold) process.exit(SIGNALLED_STATUS);
        isTold = true;
        resolve(signal);
      });
  });
}

/** Exit status that shells report for a process ended by a signal. */
const SIGNALLED_STATUS = 130;

interface Service<Config extends { readonly logLevel: string }, Running> {
  /** Name in the log: "sequencer" stops, cannot start. */
  readonly name: string;
  /** @throws what a wrong setting is refused for; the process then ends with 1 */
  readConfig(): Config;
  /** @param modules.onFatal ends the process at once, without a clean stop: memory may be ahead of the disk */
  create(
    config: Config,
    modules: { readonly logger: Logger; readonly onFatal: (error: unknown) => void },
  ): Promise<Running>;
  /** Work that is left once the service can be stopped. */
  begin?(running: Running, logger: Logger): Promise<void>;
}

/** Runs a service from start to stop: SIGTERM or SIGINT stops it cleanly, with status 0; a failure ends it with 1. */
export async function runUntilStopped<
  Config extends { readonly logLevel: string },
  Running extends { stop(): Promise<unknown> },
>(service: Service<Config, Running>): Promise<void> {
  const { name } = service;
  keepFilesPrivate();
  try {
    const config = service.readConfig();
    const logger = createLogger(name, config.logLevel);
    let running: Running | null = null;
    let isStopping = false;
    const exitAfterFailure = (error: unknown) => {
      logger.fatal({ err: error }, `${name} stops after a failure`);
      process.exit(1);
    };
    const stop = (signal: string) => {
      if (isStopping) return;
      isStopping = true;
      logger.info({ signal }, `${name} stops`);
      cutStopShort(logger, name);
      Promise.resolve(running?.stop()).then(() => process.exit(0), exitAfterFailure);
    };
    process.on("SIGTERM", () => stop("SIGTERM"));
    process.on("SIGINT", () => stop("SIGINT"));
    process.on("uncaughtException", exitAfterFailure);
    process.on("unhandledRejection", exitAfterFailure);
    running = await service.create(config, { logger, onFatal: exitAfterFailure });
    await service.begin?.(running, logger);
  } catch (error) {
    const facts = isRollupError(error) ? { code: error.code, data: error.data } : { err: error };
    createLogger(name).fatal(facts, isRollupError(error) ? error.message : `${name} cannot start`);
    process.exit(1);
  }
}
