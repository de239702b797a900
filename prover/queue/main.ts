/** A worker of the queue of proofs: `npx tsx prover/queue/main.ts`, configured by prover/process/prover-config.ts. */

import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { startHealthServer } from "@openledger/foundation/http/health-server";
import { runUntilStopped } from "@openledger/foundation/run-until-stopped";
import { loadDeployedCircuits } from "../keys/deployed-circuits.ts";
import { ProofMaker } from "../process/proof-maker.ts";
import { readProverConfig } from "../process/prover-config.ts";
import { startQueueWorker } from "./queue-worker.ts";
import { createWorkerMetrics } from "./worker-metrics.ts";

await runUntilStopped({
  name: "prover",
  readConfig: () => readProverConfig(process.env),
  async create(config, { logger }) {
    const { circuits: deployed } = loadDeployment(config.deploymentPath);
    const circuits = await loadDeployedCircuits(deployed);
    if (deployed.some((circuit) => circuit.isDevelopment))
      logger.warn("development keys: anyone can forge proofs for this rollup");
    const metrics = createWorkerMetrics();
    const onCrossCheck = (result: "same" | "failed") => metrics.crossChecks.inc({ result });
    const maker = await ProofMaker.open(config, { logger, onCrossCheck });
    let provingCircuit: string | null = null;
    let failingCode: string | null = null;
    const { healthPort } = config;
    const health =
      healthPort === undefined
        ? null
        : await startHealthServer({
            port: healthPort,
            registry: metrics.registry,
            log: logger,
            health: () => {
              const code = failingCode ?? maker.failureCode;
              return { isHealthy: code === null, failingCode: code, backend: maker.backend, provingCircuit };
            },
          });
    const worker = await startQueueWorker(
      { database: config, name: config.name, leaseMs: config.leaseMs },
      {
        maker,
        circuits,
        logger,
        metrics,
        onJob: (circuit) => {
          provingCircuit = circuit;
        },
        onFailing: (code) => {
          failingCode = code;
        },
      },
    );
    logger.info({ backend: maker.backend, circuits: [...circuits.keys()] }, "prover runs");
    return {
      async stop() {
        await worker.close();
        await maker.close();
        await health?.close();
      },
    };
  },
});
