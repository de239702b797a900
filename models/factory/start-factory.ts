/**
 * Starts a factory for a deployed rollup: the ledger's client, the process with its routes, and a settler for models that it
 * serves. models/factory/main.ts and `openledger factory serve` call it.
 */
import { settlingCircuits } from "@openledger/circuits/registry/circuit-sizes";
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { createLedgerClient } from "@openledger/client/ledger-client";
import type { Logger } from "@openledger/foundation/logger";
import { chooseBackend } from "@openledger/prover/choose-backend";
import { openProverOnDemand } from "@openledger/prover/open-prover";
import { readProverConfig } from "@openledger/prover/process/prover-config";
import type { Prover } from "@openledger/prover/proving/prover";
import { readRollupCircuits } from "@openledger/verifier/circuits/rollup-circuits";
import type { Address } from "viem";
import { openSettlingQueue, type SettlingQueue } from "../settling/daemon/settling-queue.ts";
import { startSettling } from "../settling/daemon/start-settling.ts";
import type { FactoryConfig } from "./factory-config.ts";
import { collectFactoryProcessMetrics } from "./factory-metrics.ts";
import { createFactoryProcess, type FactoryProcess } from "./factory-process.ts";

/** Interval between two checks of a served model's epoch. */
const SETTLING_INTERVAL_MS = 3_000;

/** A factory that listens, with the rollup of its deployment record. @throws CLI_UNREACHABLE, SRV_DATABASE_UNREACHABLE, … */
export async function startFactory(
  config: FactoryConfig,
  modules: { readonly logger: Logger },
): Promise<FactoryProcess & { readonly url: string }> {
  const { deploymentPath, requestTimeoutMs, rpcUrl, sequencerUrl, serverToken } = config;
  const deployment = loadDeployment(deploymentPath);
  const rollupAddress = deployment.rollupAddress as Address;
  const client = await createLedgerClient({
    rpcUrl,
    rollupAddress,
    sequencerUrl,
    requestTimeoutMs,
    serverToken,
  });
  const readCircuits = () => readRollupCircuits({ rpcUrl, rollupAddress, deployment });
  /** One of each for all served models, once there is one. */
  let prover: Promise<Prover> | null = null;
  let queue: Promise<SettlingQueue> | null = null;
  const factory = await createFactoryProcess(config, {
    ...modules,
    client,
    deployedIn: deployment.deployedIn,
    async startSettler({ report, ...order }) {
      const circuits = await readCircuits();
      prover ??= openSettlingProver(config, modules.logger);
      queue ??= openSettlingQueue(config, modules);
      const opened = { prover: await prover, queue: await queue };
      return startSettling(
        { ...order, epochSeconds: null, consentsToVoids: false, intervalMs: SETTLING_INTERVAL_MS },
        { client, signer: null, circuits, deployment, log: modules.logger, report, ...opened },
      );
    },
    async circuitSizes() {
      return settlingCircuits(await readCircuits()).map(({ size }) => size);
    },
  });
  collectFactoryProcessMetrics(factory.metrics);
  const url = await factory.listen();
  const { chainId } = deployment;
  modules.logger.info({ url, chainId, rollupAddress }, "factory listens");
  return {
    ...factory,
    url,
    async stop() {
      await factory.stop();
      await (await prover)?.close();
      await (await queue)?.close();
    },
  };
}

/** Opens the prover of settlements; the back end `auto` is never a graphics card here. */
async function openSettlingProver({ logLevel, prover }: FactoryConfig, logger: Logger): Promise<Prover> {
  const { backend } = await chooseBackend(prover, { withCard: false });
  const settings = { ...readProverConfig({ ...process.env, PROVER_BACKEND: backend }), logLevel };
  return openProverOnDemand(settings, { logTo: 1 }, { logger });
}
