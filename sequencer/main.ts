/**
 * Starts the sequencer: `tsx sequencer/main.ts`, settings from the environment (config.ts).
 * Logs "sequencer listens" with the URL once it does; SIGTERM or SIGINT stops it cleanly.
 */
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { runUntilStopped } from "@openledger/foundation/run-until-stopped";
import { loadConfig } from "./config.ts";
import { collectProcessMetrics } from "./metrics.ts";
import { createSequencerProcess } from "./sequencer-process.ts";

await runUntilStopped({
  name: "sequencer",
  readConfig: () => loadConfig(process.env),
  async create(config, modules) {
    const deployment = loadDeployment(config.deploymentPath);
    return { ...(await createSequencerProcess(config, deployment, modules)), deployment };
  },
  async begin({ deployment, listen, metrics }, logger) {
    collectProcessMetrics(metrics);
    const url = await listen();
    const { chainId, rollupAddress } = deployment;
    logger.info({ url, chainId, rollupAddress }, "sequencer listens");
  },
});
