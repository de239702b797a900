/**
 * Process of the bridge: `npx tsx bridge/main.ts`, configured by BRIDGE_… (bridge/config.ts). Runs the loops of
 * operator/bridge.ts until a signal.
 */
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { startHealthServer } from "@openledger/foundation/http/health-server";
import { createLogger } from "@openledger/foundation/logger";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { cutStopShort, stopSignal } from "@openledger/foundation/run-until-stopped";
import { Registry } from "prom-client";
import { type BridgeConfig, readBridgeConfig } from "./config.ts";
import { startBridge } from "./operator/bridge.ts";

const RESTART_WAIT_MS = 1_000;

async function run(config: BridgeConfig): Promise<void> {
  keepFilesPrivate();
  const logger = createLogger("bridge", config.logLevel);
  const registry = new Registry();
  const stopping = stopSignal();
  const deployment = loadDeployment(config.deploymentPath);
  let bridge: Awaited<ReturnType<typeof startBridge>> | null = null;
  const server =
    config.healthPort === undefined
      ? null
      : await startHealthServer({
          port: config.healthPort,
          registry,
          log: logger,
          health: () => ({ isHealthy: bridge?.isHealthy ?? false, isStarting: bridge === null }),
        });
  let signal: NodeJS.Signals | null = null;
  void stopping.then((name) => {
    signal = name;
    cutStopShort(logger, "bridge");
  });
  while (bridge === null && signal === null) {
    try {
      bridge = await startBridge(config, { deployment, logger, registry });
    } catch (error) {
      // L1 may start after us.
      if (!isRollupError(error) || !error.isRetryable) {
        await server?.close();
        throw error;
      }
      logger.warn({ code: error.code, reason: error.message }, "cannot start yet");
      await Promise.race([stopping, new Promise((resolve) => setTimeout(resolve, RESTART_WAIT_MS))]);
    }
  }
  const ending = bridge === null ? stopping : Promise.race([stopping, bridge.failed]);
  const reason = await ending;
  if (reason instanceof Error) {
    // Transactions on their way are on the disk, or were never sent: a new start goes on from there.
    logger.fatal({ err: reason }, "the bridge stops after a failure");
    process.exit(1);
  }
  logger.info({ signal: reason }, "stopping");
  await bridge?.stop();
  await server?.close();
}

try {
  await run(readBridgeConfig(process.env));
  // Whatever it was still waiting for has nothing to say any more.
  process.exit(0);
} catch (error) {
  // An error of ours needs no stack; anything else does.
  if (isRollupError(error)) process.stderr.write(`${error.code}: ${error.message}\n`);
  else process.stderr.write(`${String(error)}\n${(error as Error)?.stack ?? ""}\n`);
  process.exitCode = 1;
}
