import { settlingCircuits } from "@openledger/circuits/registry/circuit-sizes";
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { createLedgerClient } from "@openledger/client/ledger-client";
import type { Logger } from "@openledger/foundation/logger";
import { chooseBackend } from "@openledger/prover/choose-backend";
import { readRollupCircuits } from "@openledger/verifier/circuits/rollup-circuits";
import type { Address } from "viem";
import { startSettling } from "../settler/start-settling.ts";
import type { FactoryConfig } from "./factory-config.ts";
import { collectFactoryProcessMetrics } from "./factory-metrics.ts";
import { createFactoryProcess, type FactoryProcess } from "./factory-process.ts";

/** Between two looks at a served model's epoch. */
const SETTLING_INTERVAL_MS = 3_000;

/** A factory that listens, with the rollup of its deployment record. @throws CLI_UNREACHABLE, SRV_STORE_LOCKED, … */
export async function startFactory(
  config: FactoryConfig,
  modules: { readonly logger: Logger; readonly onFatal: (error: unknown) => void },
): Promise<FactoryProcess & { readonly url: string }> {
  const { deploymentPath, requestTimeoutMs, rpcUrl, sequencerUrl } = config;
  const deployment = loadDeployment(deploymentPath);
  const rollupAddress = deployment.rollupAddress as Address;
  const client = await createLedgerClient({ rpcUrl, rollupAddress, sequencerUrl, requestTimeoutMs });
  const readCircuits = () => readRollupCircuits({ rpcUrl, rollupAddress, deployment });
  const factory = await createFactoryProcess(config, {
    ...modules,
    client,
    async startSettler({ report, ...order }) {
      const circuits = await readCircuits();
      const { backend } = await chooseBackend(config.prover, { withCard: false });
      return startSettling(
        { ...order, backend, epochSeconds: null, consentsToVoids: false, intervalMs: SETTLING_INTERVAL_MS },
        { client, signer: null, circuits, deployment, log: modules.logger, report },
      );
    },
    async circuitSizes() {
      const circuits = await readCircuits();
      // The factory makes no direct models.
      return settlingCircuits(circuits).flatMap(({ size }) => (size.isDirect === true ? [] : [size]));
    },
  });
  collectFactoryProcessMetrics(factory.metrics);
  const url = await factory.listen();
  const { chainId } = deployment;
  modules.logger.info({ url, chainId, rollupAddress }, "factory listens");
  return { ...factory, url };
}
