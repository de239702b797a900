/** The dispatcher's process: `npx tsx prover/jobs/main.ts`, configured by prover/jobs/dispatch-config.ts. */

import { startHealthServer } from "@openledger/foundation/http/health-server";
import { createLogger } from "@openledger/foundation/logger";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { cutStopShort } from "@openledger/foundation/run-until-stopped";
import { type DispatchConfig, readDispatchConfig } from "./dispatch-config.ts";
import { createDispatchMetrics } from "./dispatch-metrics.ts";
import { Dispatcher } from "./dispatcher.ts";
import { ProofCredits } from "./proof-credits.ts";
import { connectRedis } from "./prove-queue.ts";

async function run(config: DispatchConfig): Promise<void> {
  keepFilesPrivate();
  const logger = createLogger("dispatcher", config.logLevel);
  const stopping = new AbortController();
  stopping.signal.addEventListener("abort", () => cutStopShort(logger, "dispatcher"));
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stopping.abort());
  const {
    creditsPath,
    handInSecret,
    healthPort,
    maxBackoffMs,
    pollIntervalMs,
    queue,
    sequencerUrl,
    targetMs,
    token,
  } = config;
  const redis = await connectRedis(queue.reveal(), (error) =>
    logger.warn({ reason: error.message }, "the queue's Redis"),
  );
  const metrics = createDispatchMetrics();
  const options = {
    credits: creditsPath === undefined ? undefined : new ProofCredits(creditsPath),
    handInSecret: handInSecret?.reveal() ?? null,
    operatorToken: token.reveal(),
    sequencerUrl,
    pollIntervalMs,
    maxBackoffMs,
    targetMs,
  };
  const dispatcher = new Dispatcher(options, { redis, logger, metrics });
  // What jobs failed of was repaired: they are tried again.
  process.on("SIGHUP", () => {
    void dispatcher
      .retryAside()
      .then((jobCount) => logger.info({ jobCount }, "jobs that were set aside wait again"));
  });
  let failingCode: string | null = null;
  const health =
    healthPort === undefined
      ? null
      : await startHealthServer({
          port: healthPort,
          registry: metrics.registry,
          log: logger,
          health: () => ({ isHealthy: failingCode === null, failingCode }),
        });
  logger.info("dispatcher runs");
  try {
    await dispatcher.run(stopping.signal, (code) => {
      failingCode = code;
    });
    logger.info("stopped");
  } finally {
    await dispatcher.close();
    redis.disconnect();
    await health?.close();
  }
}

try {
  await run(readDispatchConfig(process.env));
} catch (error) {
  // An error of ours needs no stack; anything else does.
  if (isRollupError(error)) process.stderr.write(`${error.code}: ${error.message}\n`);
  else process.stderr.write(`${String(error)}\n${(error as Error)?.stack ?? ""}\n`);
  process.exitCode = 1;
}
