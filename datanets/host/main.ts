/**
 * Starts a Datanet host: `tsx datanets/host/main.ts`, settings from the environment (config.ts).
 * Logs "datanet host listens" with the URL once it does; SIGTERM or SIGINT stops it cleanly.
 */

import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { runUntilStopped } from "@openledger/foundation/run-until-stopped";
import { loadHostConfig } from "./config.ts";
import { collectHostProcessMetrics } from "./host-metrics.ts";
import { createHostProcess } from "./host-process.ts";

await runUntilStopped({
  name: "datanet host",
  readConfig: () => loadHostConfig(process.env),
  async create(config, modules) {
    const deployment = loadDeployment(config.deploymentPath);
    return { ...(await createHostProcess(config, deployment, modules)), deployment };
  },
  async begin({ deployment, listen, metrics }, logger) {
    collectHostProcessMetrics(metrics);
    const url = await listen();
    const { chainId, rollupAddress } = deployment;
    logger.info({ url, chainId, rollupAddress }, "datanet host listens");
  },
});
