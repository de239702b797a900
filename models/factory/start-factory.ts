import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { settlementSizeOf } from "@openledger/circuits/settlement/settlement-size";
import { createLedgerClient } from "@openledger/client/ledger-client";
import { readRollupCircuits } from "@openledger/verifier/circuits/rollup-circuits";
import type { Logger } from "pino";
import type { Address } from "viem";
import type { FactoryConfig } from "./factory-config.ts";
import { collectFactoryProcessMetrics } from "./factory-metrics.ts";
import { createFactoryProcess, type FactoryProcess } from "./factory-process.ts";

/** A factory that listens, with the rollup of its deployment record. @throws CLI_UNREACHABLE, SRV_STORE_LOCKED, … */
export async function startFactory(
  config: FactoryConfig,
  modules: { readonly logger: Logger; readonly onFatal: (error: unknown) => void },
): Promise<FactoryProcess & { readonly url: string }> {
  const { deploymentPath, requestTimeoutMs, rpcUrl, sequencerUrl } = config;
  const deployment = loadDeployment(deploymentPath);
  const rollupAddress = deployment.rollupAddress as Address;
  const factory = await createFactoryProcess(config, {
    ...modules,
    client: await createLedgerClient({ rpcUrl, rollupAddress, sequencerUrl, requestTimeoutMs }),
    async circuitSizes() {
      const circuits = await readRollupCircuits({ rpcUrl, rollupAddress, deployment });
      return (
        circuits
          .filter(({ sort }) => sort === CIRCUIT_SORT.settlement)
          .map(({ name }) => settlementSizeOf(name))
          // The factory makes no direct models.
          .filter(({ isDirect }) => isDirect !== true)
      );
    },
  });
  collectFactoryProcessMetrics(factory.metrics);
  const url = await factory.listen();
  const { chainId } = deployment;
  modules.logger.info({ url, chainId, rollupAddress }, "factory listens");
  return { ...factory, url };
}
