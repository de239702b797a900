/** The prover's process: `npx tsx prover/service/main.ts`, configured by prover/service/prove-config.ts. */

import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { startHealthServer } from "@openledger/foundation/http/health-server";
import { createLogger, type Logger } from "@openledger/foundation/logger";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { cutStopShort } from "@openledger/foundation/run-until-stopped";
import { createProver } from "../backends.ts";
import { chooseBackend } from "../choose-backend.ts";
import { createProveJobClient, type ProveJobClient } from "../jobs/sequencer-jobs.ts";
import { loadDeployedCircuits } from "../keys/deployed-circuits.ts";
import { ProofTimes } from "../proving/proof-times.ts";
import { CrossCheck } from "./cross-check.ts";
import { type ProveConfig, readProveConfig } from "./prove-config.ts";
import { runProveLoop } from "./prove-loop.ts";
import { createProverMetrics } from "./prover-metrics.ts";

async function run(config: ProveConfig): Promise<void> {
  keepFilesPrivate();
  const logger = createLogger("prover", config.logLevel);
  const deployment = loadDeployment(config.deploymentPath);
  const circuits = await loadDeployedCircuits(deployment.circuits);
  if (deployment.circuits.some((circuit) => circuit.isDevelopment)) {
    logger.warn("development keys: anyone can forge proofs for this rollup");
  }
  const stopping = new AbortController();
  // A finished proof is handed over first, or its job given back, where somebody takes them.
  stopping.signal.addEventListener("abort", () => cutStopShort(logger, "prover"));
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stopping.abort());
  const { backend, reason } = await chooseBackend(config.backend);
  logger.info({ backend, reason }, "back end chosen");
  const prover = await createProver(backend, { keyMemory: config.keyMemory });
  let provingBatch: number | null = null;
  let failingCode: string | null = null;
  const metrics = createProverMetrics();
  const crossCheck = new CrossCheck(backend, {
    logger,
    openOther: createProver,
    onChecked: (result) => metrics.crossChecks.inc({ result }),
  });
  const health =
    config.healthPort === undefined
      ? null
      : await startHealthServer({
          port: config.healthPort,
          registry: metrics.registry,
          log: logger,
          health: () => ({
            isHealthy: failingCode === null && crossCheck.failureCode === null,
            failingCode: failingCode ?? crossCheck.failureCode,
            ...{ backend: prover.backend, provingBatch },
          }),
        });
  const jobs = await openJobs(config, logger);
  logger.info({ backend: prover.backend, circuits: [...circuits.keys()] }, "prover runs");
  try {
    await runProveLoop(
      {
        pollIntervalMs: config.pollIntervalMs,
        maxBackoffMs: config.maxBackoffMs,
        checkIntervalMs: config.checkIntervalMs,
        signal: stopping.signal,
      },
      {
        jobs,
        prover,
        circuits,
        logger,
        times: new ProofTimes(),
        metrics,
        crossCheck,
        onJob: (batchNumber) => {
          provingBatch = batchNumber;
        },
        onFailing: (code) => {
          failingCode = code;
        },
      },
    );
    logger.info("stopped");
  } finally {
    await jobs.close?.();
    await prover.close();
    await health?.close();
  }
}

/** From the sequencer itself, or from the queue. */
async function openJobs(config: ProveConfig, logger: Logger): Promise<ProveJobClient> {
  const { handInKey, name: proverName, queue, queueLockMs: lockMs, token } = config;
  if (queue === undefined) {
    const operatorToken = token!.reveal();
    return createProveJobClient({ sequencerUrl: config.sequencerUrl, operatorToken, proverName });
  }
  const { createQueueJobClient } = await import("../jobs/queue-jobs.ts");
  const credential = { queueUrl: queue.reveal(), handInKey: handInKey?.reveal() };
  return createQueueJobClient({ ...credential, proverName, lockMs }, { logger });
}

try {
  await run(readProveConfig(process.env));
} catch (error) {
  // An error of ours needs no stack; anything else does.
  if (isRollupError(error)) process.stderr.write(`${error.code}: ${error.message}\n`);
  else process.stderr.write(`${String(error)}\n${(error as Error)?.stack ?? ""}\n`);
  process.exitCode = 1;
}
