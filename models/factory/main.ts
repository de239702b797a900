/**
 * Starts a ModelFactory: `tsx models/factory/main.ts`, settings from the environment (factory-config.ts).
 * Logs "factory listens" with the URL once it does; SIGTERM or SIGINT stops it cleanly.
 */
import pino from "pino";
import type { Address } from "viem";
import { loadDeployment } from "../../circuits/registry/deployment.ts";
import { isRollupError } from "../../circuits/rollup-error.ts";
import { CIRCUIT_SORT } from "../../circuits/settlement/settlement-data.ts";
import { readRollupCircuits, settlementSizeOf } from "../../client/circuits/rollup-circuits.ts";
import { createLedgerClient } from "../../client/ledger-client.ts";
import { readFactoryConfig } from "./factory-config.ts";
import { createFactoryProcess, type FactoryProcess } from "./factory-process.ts";

/** A stop that takes longer than this is cut short; the store makes that safe. */
const MAX_STOP_MS = 10_000;

const createLogger = (level: string) =>
  pino({ level, base: { component: "factory" }, timestamp: pino.stdTimeFunctions.isoTime });

async function main(): Promise<void> {
  const config = readFactoryConfig(process.env);
  const deployment = loadDeployment(config.deploymentPath);
  const rollupAddress = deployment.rollupAddress as Address;
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

  const { requestTimeoutMs, rpcUrl, sequencerUrl } = config;
  running = await createFactoryProcess(config, {
    client: await createLedgerClient({ rpcUrl, rollupAddress, sequencerUrl, requestTimeoutMs }),
    async circuitSizes() {
      const circuits = await readRollupCircuits({ rpcUrl, rollupAddress, deployment });
      return circuits
        .filter(({ sort }) => sort === CIRCUIT_SORT.settlement)
        .map(({ name }) => settlementSizeOf(name));
    },
    logger,
    onFatal: exitAfterFailure,
  });
  const url = await running.listen();
  logger.info({ url, chainId: deployment.chainId, rollupAddress }, "factory listens");
}

main().catch((error: unknown) => {
  const facts = isRollupError(error) ? { code: error.code, data: error.data } : { err: error };
  createLogger("info").fatal(facts, isRollupError(error) ? error.message : "factory cannot start");
  process.exit(1);
});
