/** The HTTP application, without `listen`; /openapi.json is its machine-readable contract, docs/datanets.md says the rest. */
import cors from "@fastify/cors";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifySchema,
} from "fastify";
import { isRollupError, type RollupError } from "../../circuits/rollup-error.ts";
import { documentedSchema, validateByZod } from "../../circuits/wire/zod-routes.ts";
import { type DatanetErrorCode, datanetError, datanetHttpStatus } from "../datanet-errors.ts";
import { REQUEST_HEADER } from "../records/signed-request.ts";
import { registerCardRoutes } from "./card-routes.ts";
import { registerFindingRoutes } from "./finding-routes.ts";
import type { HostContext } from "./host-context.ts";
import { registerRecordRoutes } from "./record-routes.ts";
import { registerRowRoutes } from "./row-routes.ts";
import { registerUploadRoutes } from "./upload-routes.ts";
import { registerVersionRoutes } from "./version-routes.ts";

/** Of a body that is not rows or lists. */
const MAX_JSON_BYTES = 1024 * 1024;
const COMPRESSED = "the body is compressed, and nothing is unpacked here";

/** Routes are ready when the promise resolves. */
export async function createHostApi(context: HostContext): Promise<FastifyInstance> {
  const { config, metrics } = context;
  const errorHandler = createErrorHandler(context);
  const app = fastify({
    bodyLimit: MAX_JSON_BYTES,
    forceCloseConnections: true,
    // A body that trickles in holds its connection no longer than this.
    requestTimeout: config.requestTimeoutMs,
    connectionTimeout: config.requestTimeoutMs,
    frameworkErrors: (error, request, reply) => errorHandler(error, request, reply),
  });
  app.server.maxConnections = config.maxConnections;
  app.server.headersTimeout = Math.min(config.requestTimeoutMs, 60_000);
  app.setErrorHandler(errorHandler);
  validateByZod(app, ({ data, reason }) => datanetError("DNT_BAD_REQUEST", reason, { data }));
  registerBodies(app);

  app.addHook("onRequest", async (request) => {
    const encoding = request.headers["content-encoding"];
    if (encoding !== undefined && encoding !== "identity")
      throw datanetError("DNT_ENCODING_REFUSED", COMPRESSED);
  });
  // What people bring never runs and never frames anything, whatever it looks like.
  app.addHook("onSend", async (_request, reply) => {
    reply.header("x-content-type-options", "nosniff");
    reply.header("referrer-policy", "no-referrer");
    if (!reply.hasHeader("content-security-policy"))
      reply.header("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox");
  });
  // Anybody's page may ask: there are no cookies, and what is not public is signed.
  await app.register(cors, {
    origin: "*",
    methods: ["GET", "POST", "PUT"],
    allowedHeaders: ["content-type", REQUEST_HEADER],
    // A page is told that it may try again, as every other client is.
    exposedHeaders: ["retry-after"],
    maxAge: 86_400,
  });
  await app.register(rateLimit, {
    max: config.rateLimitPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { after }) =>
      datanetError("DNT_RATE_LIMITED", `too many requests; try again in ${after}`, { data: { after } }),
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request) => {
    throw datanetError("DNT_NOT_HOSTED", `there is no ${request.method} ${request.url.slice(0, 200)}`);
  });
  await app.register(swagger, {
    openapi: {
      info: {
        title: "OpenLedger Datanet host",
        version: "1",
        description:
          "Rows, cards, labels and grants of Datanets. Digests are SHA-256 as 64 hexadecimal digits, roots 0x-hex of 32 bytes. Errors: docs/errors.md.",
      },
      components: {
        securitySchemes: { signed: { type: "apiKey", in: "header", name: REQUEST_HEADER } },
      },
    },
    transform: ({ schema, url }) => ({ schema: documentedSchema(schema), url }),
  });
  await app.register(swaggerUi, { routePrefix: "/docs" });
  registerCardRoutes(app, context);
  registerUploadRoutes(app, context);
  registerRowRoutes(app, context);
  registerVersionRoutes(app, context);
  registerRecordRoutes(app, context);
  registerFindingRoutes(app, context);

  const unlimited = { config: { rateLimit: false }, schema: { hide: true } as object };
  app.get("/health", unlimited, (_request, reply) => {
    reply.code(context.isHealthy() ? 200 : 503);
    const all = context.shelf.all();
    const loadingCount = all.filter(({ loading }) => loading.stage !== null).length;
    return { status: context.isHealthy() ? "ok" : "stopping", datanets: all.length, loadingCount };
  });
  app.get("/metrics", unlimited, async (_request, reply) => {
    reply.type(metrics.registry.contentType);
    return reply.serializer((text: string) => text).send(await metrics.registry.metrics());
  });
  app.get("/openapi.json", { schema: { hide: true } as FastifySchema }, () => app.swagger());
  await app.ready();
  return app;
}

/** Bodies stay beside what they say: a signed request is signed over its bytes. */
function registerBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const keep = (request: FastifyRequest, body: Buffer) => {
    (request as { rawBody?: Buffer }).rawBody = body;
  };
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    keep(request, body);
    try {
      done(null, JSON.parse(body.toString("utf8")));
    } catch (cause) {
      done(datanetError("DNT_BAD_REQUEST", "the body is not JSON", { cause }));
    }
  });
  app.addContentTypeParser(
    "application/octet-stream",
    { parseAs: "buffer" },
    (request, body: Buffer, done) => {
      keep(request, body);
      done(null, body);
    },
  );
}

const FRAMEWORK_CODES: Readonly<Record<string, DatanetErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "DNT_TOO_LARGE",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "DNT_ENCODING_REFUSED",
};

function createErrorHandler({ logger, metrics }: Pick<HostContext, "logger" | "metrics">) {
  const typedOf = (error: unknown): RollupError => {
    if (isRollupError(error)) return error;
    const { code, message, statusCode } = error as { code?: string; message?: string; statusCode?: number };
    const known = FRAMEWORK_CODES[code ?? ""];
    if (known !== undefined) return datanetError(known, message ?? known, { cause: error });
    if (statusCode !== undefined && statusCode < 500)
      return datanetError("DNT_BAD_REQUEST", message ?? "the request is malformed", { cause: error });
    logger.error({ err: error }, "unforeseen failure of a request");
    return datanetError("DNT_INTERNAL", "the host failed in an unforeseen way", { cause: error });
  };
  return (error: unknown, _request: FastifyRequest, reply: FastifyReply): void => {
    const typed = typedOf(error);
    metrics.errors.inc({ code: typed.code });
    if (typed.isRetryable && !reply.hasHeader("retry-after")) reply.header("retry-after", "1");
    const { code, data, message } = typed.toJSON() as { code: string; message: string; data: object };
    reply
      .code(datanetHttpStatus(code))
      .type("application/json; charset=utf-8")
      .serializer((body: unknown) => JSON.stringify(body))
      .send({ error: { code, message, data, docs: `docs/errors.md#${code.toLowerCase()}` } });
  };
}
