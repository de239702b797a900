/**
 * HTTP application of the Datanet host, without `listen`: its limits, errors and routes. /openapi.json is its machine-readable
 * contract, docs/explanation/datanets.md explains it.
 */
import cors from "@fastify/cors";
import swagger from "@fastify/swagger";
import { createServer } from "@openledger/foundation/http/create-server";
import type { HttpErrors } from "@openledger/foundation/http/http-errors";
import { registerReference } from "@openledger/foundation/http/reference-page";
import { serveMetrics } from "@openledger/foundation/http/serve-metrics";
import { documentedSchema, validateByZod } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { datanetError, datanetErrors } from "../datanet-errors.ts";
import { REQUEST_HEADER } from "../records/signed-request.ts";
import { registerCardRoutes } from "./card-routes.ts";
import { registerFindingRoutes } from "./finding-routes.ts";
import type { HostContext } from "./host-context.ts";
import { registerNameRoutes } from "./name-routes.ts";
import { registerNoticeRoutes } from "./notice-routes.ts";
import { registerRecordRoutes } from "./record-routes.ts";
import { registerReportRoutes } from "./report-routes.ts";
import { registerRowRoutes } from "./row-routes.ts";
import { registerUploadRoutes } from "./upload-routes.ts";
import { registerVersionRoutes } from "./version-routes.ts";

/** Maximum body of a request that carries neither rows nor lists, in bytes. */
const MAX_JSON_BYTES = 1024 * 1024;
const COMPRESSED = "the body is compressed, and nothing is unpacked here";

/** Routes are ready when the promise resolves. */
export async function createHostApi(context: HostContext): Promise<FastifyInstance> {
  const { config, metrics } = context;
  const errors = hostErrors(context);
  const app = await createServer({
    limits: config,
    errors,
    bodyLimitBytes: MAX_JSON_BYTES,
    hasRawBodies: true,
    requestTimeoutMs: config.requestTimeoutMs,
  });
  validateByZod(app, ({ data, reason }) => datanetError("SRV_BAD_REQUEST", reason, { data }));

  app.addHook("onRequest", async (request) => {
    const encoding = request.headers["content-encoding"];
    if (encoding !== undefined && encoding !== "identity") throw datanetError("SRV_MEDIA_TYPE", COMPRESSED);
  });
  // Any origin may send requests: there are no cookies, and requests for private data are signed.
  await app.register(cors, {
    origin: "*",
    methods: ["GET", "POST", "PUT", "DELETE"],
    allowedHeaders: ["content-type", REQUEST_HEADER],
    // A page learns that it may try again, as every other client does.
    exposedHeaders: ["retry-after"],
    maxAge: 86_400,
  });
  await app.register(swagger, {
    openapi: {
      info: {
        title: "OpenLedger Datanet host",
        version: "1",
        description:
          "Rows, cards, labels and grants of Datanets. Digests are SHA-256 as 64 hexadecimal digits, roots 0x-hex of 32 bytes. Errors: docs/reference/errors.md.",
      },
      components: {
        securitySchemes: { signed: { type: "apiKey", in: "header", name: REQUEST_HEADER } },
      },
    },
    transform: ({ schema, url }) => ({ schema: documentedSchema(schema), url }),
  });
  registerReference(app);
  registerCardRoutes(app, context);
  registerUploadRoutes(app, context);
  registerRowRoutes(app, context);
  registerVersionRoutes(app, context);
  registerRecordRoutes(app, context);
  registerReportRoutes(app, context);
  registerFindingRoutes(app, context);
  registerNameRoutes(app, context);
  registerNoticeRoutes(app, context);

  const unlimited = { config: { rateLimit: false }, schema: { hide: true } as object };
  app.get("/health", unlimited, async (_request, reply) => {
    const isHealthy = await context.isHealthy();
    reply.code(isHealthy ? 200 : 503);
    return { status: isHealthy ? "ok" : "stopping" };
  });
  serveMetrics(app, "/metrics", { textOf: () => metrics.registry });
  await app.ready();
  return app;
}

function hostErrors({ logger, metrics }: Pick<HostContext, "logger" | "metrics">): HttpErrors {
  return {
    log: logger,
    statusOf: ({ code }) => datanetErrors.statusOf(code) ?? 500,
    onRefusal: ({ code }) => metrics.errors.inc({ code }),
  };
}
