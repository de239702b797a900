/**
 * The HTTP application, without `listen`: docs/reference/api.md is its contract, /openapi.json its
 * machine-readable form. sequencer-process.ts and a full node's follow-process.ts listen with it.
 */
import swagger from "@fastify/swagger";
import websocket from "@fastify/websocket";
import { createServer } from "@openledger/foundation/http/create-server";
import { registerReference } from "@openledger/foundation/http/reference-page";
import { serveMetrics } from "@openledger/foundation/http/serve-metrics";
import { TrustedProxies } from "@openledger/foundation/http/trusted-proxies";
import { documentedSchema, validateByZod } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { sequencerError } from "../sequencer-errors.ts";
import { apiErrors } from "./api-errors.ts";
import { type ApiModules, type ApiOptions, MAX_BODY_BYTES } from "./api-options.ts";
import { refuseFullFeed, refuseMalformedFeed } from "./full-feed.ts";
import { tokenCheck } from "./operator-token.ts";
import { registerPages } from "./pages.ts";
import { registerBlobRoute } from "./routes/blob-route.ts";
import { registerFeeRoutes } from "./routes/fee-routes.ts";
import { registerLogRoute } from "./routes/log-route.ts";
import { registerModelRoutes } from "./routes/model-routes.ts";
import { registerOperationsRoute } from "./routes/operations-route.ts";
import { registerOperatorRoutes } from "./routes/operator-routes.ts";
import { registerPublicRoutes } from "./routes/public-routes.ts";
import { registerX402Routes } from "./routes/x402-routes.ts";

/** Routes are ready when the promise resolves. */
export async function createApi(options: ApiOptions, modules: ApiModules): Promise<FastifyInstance> {
  const errors = apiErrors(modules);
  const { operatorToken, serverToken } = options;
  const isOwn = tokenCheck([operatorToken, serverToken].filter((token) => token !== undefined));
  const app = await createServer({ limits: options, errors, bodyLimitBytes: MAX_BODY_BYTES, isOwn });
  validateByZod(app, ({ data, reason }) => sequencerError("SRV_BAD_REQUEST", reason, { data }));
  await app.register(websocket, { options: { maxPayload: 1_024 } });
  await app.register(swagger, {
    openapi: {
      info: {
        title: "OpenLedger sequencer",
        version: "1",
        description:
          "Money is a decimal string of wei; field elements and hashes are 0x-hex of 32 bytes. Errors: docs/reference/errors.md.",
      },
      components: { securitySchemes: { operator: { type: "http", scheme: "bearer" } } },
    },
    transform: ({ schema, url }) => ({ schema: documentedSchema(schema), url }),
  });
  registerReference(app);
  await registerPublicRoutes(app, options, modules);
  await app.register((routes) => registerOperationsRoute(routes, options, modules, errors));
  await registerModelRoutes(app, modules);
  await registerFeeRoutes(app, modules);
  await registerX402Routes(app, options, modules);
  await registerLogRoute(app, options, modules);
  registerBlobRoute(app, modules.sequencer.log);
  if (options.pages !== undefined) await registerPages(app, options.pages);
  modules.routes?.(app);
  const { operator } = modules;
  if (operator !== null && operatorToken !== undefined) {
    await app.register((routes) => registerOperatorRoutes(routes, operatorToken, operator));
  }
  serveMetrics(app, "/metrics", {
    textOf: () => modules.metrics.registry,
    isOperator: tokenCheck(operatorToken === undefined ? [] : [operatorToken]),
  });
  await app.ready();
  refuseMalformedFeed(app.websocketServer, errors);
  refuseFullFeed(app.server, modules.feed, options.proxies ?? new TrustedProxies(), errors);
  return app;
}
