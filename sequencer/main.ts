/**
 * Starts the sequencer: `tsx sequencer/main.ts`, settings from the environment (config.ts; of its prover in
 * prover/process/prover-config.ts).
 * Logs "sequencer listens" with the URL once it does; SIGTERM or SIGINT stops it cleanly.
 */
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { runUntilStopped } from "@openledger/foundation/run-until-stopped";
import { openProver } from "@openledger/prover/open-prover";
import type { OutsideProverEvents } from "@openledger/prover/process/outside-prover";
import { readProverConfig } from "@openledger/prover/process/prover-config";
import { loadConfig } from "./config.ts";
import { collectProcessMetrics } from "./metrics.ts";
import { createSequencerProcess } from "./sequencer-process.ts";

await runUntilStopped({
  name: "sequencer",
  readConfig() {
    const config = loadConfig(process.env);
    const prover = readProverConfig(process.env);
    // Workers, who read PROVER_… too, take jobs by another role than the one that puts them.
    return { ...config, prover: { ...prover, databaseUrl: config.databaseUrl ?? prover.databaseUrl } };
  },
  async create({ prover, ...config }, modules) {
    const deployment = loadDeployment(config.deploymentPath);
    const openOutside = (events: OutsideProverEvents) =>
      openProver(
        { ...prover, logLevel: config.logLevel },
        { idleMs: null, logTo: 1, cancelsAborted: true },
        { logger: modules.logger, ...events },
      );
    const process = await createSequencerProcess(config, deployment, {
      ...modules,
      openProver: config.proving === "on" ? openOutside : null,
      comparesCircuits: config.proving === "on",
    });
    return { ...process, deployment };
  },
  async begin({ deployment, listen, metrics }, logger) {
    collectProcessMetrics(metrics);
    const url = await listen();
    const { chainId, rollupAddress } = deployment;
    logger.info({ url, chainId, rollupAddress }, "sequencer listens");
  },
});
