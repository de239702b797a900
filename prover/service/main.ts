/** The prover's process: `npx tsx prover/service/main.ts`, configured by prover/service/prove-config.ts. */
import { createServer } from "node:http";
import { type Logger, pino } from "pino";
import { loadDeployment } from "../../circuits/registry/deployment.ts";
import { isRollupError } from "../../circuits/rollup-error.ts";
import { createProver } from "../backends.ts";
import { loadDeployedCircuits } from "../keys/deployed-circuits.ts";
import { ProofTimes } from "../proving/proof-times.ts";
import { type ProveConfig, readProveConfig } from "./prove-config.ts";
import { createProveJobClient } from "./prove-job-client.ts";
import { runProveLoop } from "./prove-loop.ts";

async function run(config: ProveConfig): Promise<void> {
  const logger = pino({ level: config.logLevel });
  const deployment = loadDeployment(config.deploymentPath);
  const circuits = await loadDeployedCircuits(deployment.circuits);
  if (deployment.circuits.some((circuit) => circuit.isDevelopment)) {
    logger.warn("development keys: anyone can forge proofs for this rollup");
  }
  const stopping = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stopping.abort());
  const prover = await createProver(config.backend);
  let provingBatch: number | null = null;
  let failingCode: string | null = null;
  const health =
    config.healthPort === undefined
      ? null
      : serveHealth(
          config.healthPort,
          () => ({ isHealthy: failingCode === null, failingCode, backend: prover.backend, provingBatch }),
          logger,
        );
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
        jobs: createProveJobClient({
          sequencerUrl: config.sequencerUrl,
          operatorToken: config.operatorToken.reveal(),
          proverName: config.name,
        }),
        prover,
        circuits,
        logger,
        times: new ProofTimes(),
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
    await prover.close();
    health?.close();
    health?.closeAllConnections();
  }
}

function serveHealth(
  port: number,
  facts: () => { isHealthy: boolean; [fact: string]: unknown },
  logger: Logger,
) {
  const server = createServer((request, response) => {
    if (request.url !== "/health") return response.writeHead(404).end();
    const health = facts();
    return response
      .writeHead(health.isHealthy ? 200 : 503, { "content-type": "application/json" })
      .end(JSON.stringify(health));
  });
  server.on("error", (error) => logger.error({ err: error, port }, "the health port cannot be used"));
  return server.listen(port, "127.0.0.1");
}

try {
  await run(readProveConfig(process.env));
} catch (error) {
  // An error of ours needs no stack; anything else does.
  if (isRollupError(error)) process.stderr.write(`${error.code}: ${error.message}\n`);
  else process.stderr.write(`${String(error)}\n${(error as Error)?.stack ?? ""}\n`);
  process.exitCode = 1;
}
