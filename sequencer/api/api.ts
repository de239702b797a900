/** The HTTP application, without `listen`: docs/api.md is its contract, /openapi.json its machine-readable form. */
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import websocket from "@fastify/websocket";
import fastify, { type FastifyInstance, type FastifySchema } from "fastify";
import { documentedSchema, validateByZod } from "../../circuits/wire/zod-routes.ts";
import { sequencerError } from "../sequencer-errors.ts";
import { createErrorHandler } from "./api-errors.ts";
import { type ApiModules, type ApiOptions, MAX_BODY_BYTES } from "./api-options.ts";
import { registerBlobRoute } from "./blob-route.ts";
import { registerFeeRoutes } from "./fee-routes.ts";
import { registerLogRoute, registerReplicaRoute } from "./log-route.ts";
import { registerModelRoutes } from "./model-routes.ts";
import { registerOperatorRoutes } from "./operator-routes.ts";
import { registerPages } from "./pages.ts";
import { registerProverRoutes } from "./prover-routes.ts";
import { registerPublicRoutes } from "./public-routes.ts";

/** Routes are ready when the promise resolves. */
export async function createApi(options: ApiOptions, modules: ApiModules): Promise<FastifyInstance> {
  const errorHandler = createErrorHandler(modules);
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    frameworkErrors: (error, request, reply) => errorHandler(error, request, reply),
  });
  app.setErrorHandler(errorHandler);
  validateByZod(app, ({ data, reason }) => sequencerError("SEQ_BAD_REQUEST", reason, { data }));
  // Only JSON comes in; a body of another type is refused, not ignored.
  app.removeContentTypeParser("text/plain");

  await app.register(rateLimit, {
    max: options.rateLimitPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { after }) =>
      sequencerError("SEQ_RATE_LIMITED", `too many requests; try again in ${after}`, { data: { after } }),
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request) => {
    throw sequencerError("SEQ_UNKNOWN_ROUTE", `there is no ${request.method} ${request.url.slice(0, 200)}`);
  });
  app.addHook("onSend", async (_request, reply) => {
    reply.header("x-content-type-options", "nosniff");
  });
  await app.register(websocket, { options: { maxPayload: 1_024 } });
  await app.register(swagger, {
    openapi: {
      info: {
        title: "OpenLedger sequencer",
        version: "1",
        description:
          "Money is a decimal string of wei; field elements and hashes are 0x-hex of 32 bytes. Errors: docs/errors.md.",
      },
      components: { securitySchemes: { operator: { type: "http", scheme: "bearer" } } },
    },
    transform: ({ schema, url }) => ({ schema: documentedSchema(schema), url }),
  });
  await app.register(swaggerUi, { routePrefix: "/docs" });
  await registerPublicRoutes(app, options, modules);
  await registerModelRoutes(app, modules);
  await registerFeeRoutes(app, modules);
  await registerLogRoute(app, options, modules);
  await registerBlobRoute(app, modules.blobs?.archive ?? null);
  if (options.pages !== undefined) await registerPages(app, options.pages);
  modules.routes?.(app);
  const { operator } = modules;
  const { operatorToken, provers } = options;
  if (operator !== null && operatorToken !== undefined) {
    await app.register((routes) => registerOperatorRoutes(routes, operatorToken, operator));
    if (options.replicaToken !== undefined) {
      const token = options.replicaToken;
      await app.register((routes) => registerReplicaRoute(routes, options, token, operator));
    }
    await app.register((routes) => registerProverRoutes(routes, { operatorToken, provers }, operator));
  }
  app.get("/openapi.json", { schema: { hide: true } as FastifySchema }, () => app.swagger());
  await app.ready();
  return app;
}
