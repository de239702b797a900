/** The HTTP application, without `listen`; factory-api.ts says what goes over it. */
import cors from "@fastify/cors";
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { hex32 } from "../../circuits/hex.ts";
import { isRollupError, type RollupError } from "../../circuits/rollup-error.ts";
import { keepRawBodies } from "../../circuits/wire/raw-bodies.ts";
import { validateByZod } from "../../circuits/wire/zod-routes.ts";
import { REQUEST_HEADER } from "../../datanets/records/signed-request.ts";
import type { FactoryInfo } from "./factory-api.ts";
import type { FactoryContext } from "./factory-context.ts";
import { type FactoryErrorCode, factoryError, factoryHttpStatus } from "./factory-errors.ts";
import { registerChoiceRoutes } from "./routes/choice-routes.ts";
import { registerJobRoutes } from "./routes/job-routes.ts";
import { registerModelRoutes } from "./routes/model-routes.ts";

const MAX_JSON_BYTES = 2 ** 20;

/** Routes are ready when the promise resolves. */
export async function createFactoryApp(context: FactoryContext): Promise<FastifyInstance> {
  const { book, config, desk } = context;
  const errorHandler = createErrorHandler(context);
  const app = fastify({
    bodyLimit: MAX_JSON_BYTES,
    forceCloseConnections: true,
    requestTimeout: config.requestTimeoutMs,
    connectionTimeout: 0,
    frameworkErrors: (error, request, reply) => errorHandler(error, request, reply),
  });
  app.server.maxConnections = config.maxConnections;
  app.server.headersTimeout = Math.min(config.requestTimeoutMs, 60_000);
  app.setErrorHandler(errorHandler);
  validateByZod(app, ({ data, reason }) => factoryError("MOD_FACTORY_REQUEST_INVALID", reason, { data }));
  keepRawBodies(app, (cause) =>
    factoryError("MOD_FACTORY_REQUEST_INVALID", "the body is not JSON", { cause }),
  );
  app.addHook("onSend", async (_request, reply) => {
    reply.header("x-content-type-options", "nosniff");
    reply.header("referrer-policy", "no-referrer");
    reply.header("cache-control", "no-store");
  });
  // Anybody's page may ask: there are no cookies, and what is not public is signed.
  await app.register(cors, {
    origin: "*",
    methods: ["GET", "POST", "DELETE"],
    allowedHeaders: ["content-type", REQUEST_HEADER],
    maxAge: 86_400,
  });
  await app.register(rateLimit, {
    max: config.rateLimitPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { after }) =>
      factoryError("MOD_FACTORY_RATE_LIMITED", `too many requests; try again in ${after}`, {
        data: { after },
      }),
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request) => {
    throw factoryError("MOD_FACTORY_UNKNOWN", `there is no ${request.method} ${request.url.slice(0, 200)}`);
  });
  app.get("/v1/info", () => infoOf(context));
  registerChoiceRoutes(app, context);
  registerJobRoutes(app, context);
  registerModelRoutes(app, context);
  app.get("/health", { config: { rateLimit: false } }, (_request, reply) => {
    reply.code(context.isHealthy() ? 200 : 503);
    const counts = { jobs: book.all().length, running: desk.runningCount };
    return { status: context.isHealthy() ? "ok" : "stopping", ...counts };
  });
  app.get("/metrics", { config: { rateLimit: false } }, async (_request, reply) => {
    const { registry } = context.metrics;
    reply.type(registry.contentType);
    return reply.serializer((text: string) => text).send(await registry.metrics());
  });
  await app.ready();
  return app;
}

function infoOf({ client, config, origin, session }: FactoryContext): FactoryInfo {
  const { accounts, basePlaces, datanetHosts, maxDatasetBytes, maxJobsPerAccount, maxRows } = config;
  return {
    origin: origin(),
    session,
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

const FRAMEWORK_CODES: Readonly<Record<string, FactoryErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "MOD_FACTORY_TOO_LARGE",
};

function createErrorHandler({ logger, metrics }: Pick<FactoryContext, "logger" | "metrics">) {
  const typedOf = (error: unknown): RollupError => {
    if (isRollupError(error)) return error;
    const { code, message, statusCode } = error as { code?: string; message?: string; statusCode?: number };
    if (code === "ENOSPC" || code === "EDQUOT")
      return factoryError("MOD_FACTORY_DISK_FULL", "the disk is full", { cause: error });
    const known = FRAMEWORK_CODES[code ?? ""];
    if (known !== undefined) return factoryError(known, message ?? known, { cause: error });
    if (statusCode !== undefined && statusCode < 500)
      return factoryError("MOD_FACTORY_REQUEST_INVALID", message ?? "the request is malformed", {
        cause: error,
      });
    logger.error({ err: error }, "unforeseen failure of a request");
    return factoryError("MOD_FACTORY_INTERNAL", "the factory failed in an unforeseen way", { cause: error });
  };
  return (error: unknown, _request: FastifyRequest, reply: FastifyReply): void => {
    const typed = typedOf(error);
    metrics.errors.inc({ code: typed.code });
    if (typed.isRetryable && !reply.hasHeader("retry-after")) reply.header("retry-after", "1");
    const { code, data, message } = typed.toJSON() as { code: string; message: string; data: object };
    reply
      .code(factoryHttpStatus(code))
      .type("application/json; charset=utf-8")
      .serializer((body: unknown) => JSON.stringify(body))
      .send({ error: { code, message, data, docs: `docs/errors.md#${code.toLowerCase()}` } });
  };
}
