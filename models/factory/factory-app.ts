/** HTTP application of the factory, without `listen`: limits, errors and routes; factory-api.ts defines its messages. */
import cors from "@fastify/cors";
import { REQUEST_HEADER } from "@openledger/datanets/records/signed-request";
import { hex32 } from "@openledger/foundation/hex";
import { createServer } from "@openledger/foundation/http/create-server";
import type { HttpErrors } from "@openledger/foundation/http/http-errors";
import { serveMetrics } from "@openledger/foundation/http/serve-metrics";
import { validateByZod } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { factoryError, factoryHttpStatus } from "../model-errors.ts";
import type { FactoryInfo } from "./factory-api.ts";
import type { FactoryContext } from "./factory-context.ts";
import { registerChoiceRoutes } from "./routes/choice-routes.ts";
import { registerJobRoutes } from "./routes/job-routes.ts";
import { registerModelRoutes } from "./routes/model-routes.ts";

/** Limit of a request's body; uploads of rows have their own. */
const MAX_JSON_BYTES = 2 ** 20;
/** Timeout of a silent connection. A choice of rows is read from hosts first; streams of a job send something more often. */
const SILENT_TIMEOUT_MS = 600_000;

/** Routes are ready when the promise resolves. */
export async function createFactoryApp(context: FactoryContext): Promise<FastifyInstance> {
  const { config, jobs } = context;
  const errors = factoryErrors(context);
  const app = await createServer({
    limits: config,
    errors,
    bodyLimitBytes: MAX_JSON_BYTES,
    hasRawBodies: true,
    requestTimeoutMs: config.requestTimeoutMs,
    silentTimeoutMs: SILENT_TIMEOUT_MS,
    headers: { "cache-control": "no-store" },
  });
  validateByZod(app, ({ data, reason }) => factoryError("SRV_BAD_REQUEST", reason, { data }));
  // Any origin may send requests: there are no cookies, and requests for private data are signed.
  await app.register(cors, {
    origin: "*",
    methods: ["GET", "POST", "DELETE"],
    allowedHeaders: ["content-type", REQUEST_HEADER],
    maxAge: 86_400,
  });
  app.get("/v1/info", () => infoOf(context));
  registerChoiceRoutes(app, context);
  registerJobRoutes(app, context);
  registerModelRoutes(app, context);
  app.get("/health", { config: { rateLimit: false } }, async (_request, reply) => {
    const isHealthy = await context.isHealthy();
    reply.code(isHealthy ? 200 : 503);
    if (!isHealthy) return { status: "stopping", running: context.runningCount() };
    const counts = await jobs.counts();
    const jobCount = [...counts.values()].reduce((sum, count) => sum + count, 0);
    return { status: "ok", jobs: jobCount, running: context.runningCount() };
  });
  serveMetrics(app, "/metrics", { textOf: () => context.metrics.registry });
  await app.ready();
  return app;
}

async function infoOf({ client, config, origin, sessions }: FactoryContext): Promise<FactoryInfo> {
  const { accounts, basePlaces, datanetHosts, maxDatasetBytes, maxJobsPerAccount, maxRows } = config;
  return {
    origin: origin(),
    session: await sessions.current(),
    domain: hex32(client.domain),
    chainId: client.chain.id,
    rollupAddress: client.rollupAddress,
    accounts: accounts === "any" ? "any" : [...accounts],
    datanetHosts,
    basePlaces,
    kernels: config.kernels,
    threadCount: config.threadCount,
    limits: {
      maxRows,
      maxDatasetBytes,
      maxSteps: config.maxSteps,
      maxJobsPerAccount,
      maxRunning: config.maxRunning,
    },
  };
}

function factoryErrors({ logger, metrics }: Pick<FactoryContext, "logger" | "metrics">): HttpErrors {
  return {
    log: logger,
    statusOf: ({ code }) => factoryHttpStatus(code),
    recognise(error) {
      const { code } = error as { code?: string };
      if (code !== "ENOSPC" && code !== "EDQUOT") return undefined;
      return factoryError("SRV_DISK_FULL", "the disk is full", { cause: error });
    },
    onRefusal: ({ code }) => metrics.errors.inc({ code }),
  };
}
