/** HTTP of the gateway: OpenAI's routes behind the guard. open-gateway.ts makes it and listens. */
import type { ServerResponse } from "node:http";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { processErrors } from "@openledger/foundation/error-table";
import { createServer } from "@openledger/foundation/http/create-server";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import type { Secret } from "@openledger/foundation/secret";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Asker } from "../asking/asker.ts";
import type { Budget } from "../asking/budget.ts";
import type { ModelLocations, PricedModel } from "../asking/model-locations.ts";
import { answerChat, type PaidRequest, type RouteModules } from "./chat-route.ts";
import { guardGateway } from "./guard.ts";
import { idempotencyOf } from "./idempotency-key.ts";
import { errorBody, retryAfterSeconds, statusOf } from "./openai-errors.ts";
import { answerResponses } from "./responses-route.ts";

export interface GatewayAppModules {
  readonly asker: Asker;
  readonly locations: ModelLocations;
  readonly budget: Budget;
  readonly token: Secret<string>;
  readonly maxPriceWei: bigint;
  /** MCP over streamable HTTP: answers a request of any method. */
  readonly mcp: { answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> };
  readonly logger: Pick<Logger, "error" | "warn">;
}

const MAX_BODY_BYTES = 8 * 2 ** 20;
/** An answer waits for its turn, and a large model reads its prompt. */
const SILENT_TIMEOUT_MS = 600_000;
/** Maximum connections, all from programs of one machine. */
const MAX_CONNECTIONS = 256;
const REQUESTS_PER_MINUTE = 6_000;

type AnswerRoute = (modules: RouteModules, request: PaidRequest, response: ServerResponse) => Promise<void>;

/** Routes may be added when the promise resolves; the caller listens. */
export async function createGatewayApp(modules: GatewayAppModules): Promise<FastifyInstance> {
  const { asker, budget, logger, maxPriceWei, mcp, locations, token } = modules;
  const app = await createServer({
    limits: { rateLimitPerMinute: REQUESTS_PER_MINUTE, maxConnections: MAX_CONNECTIONS },
    errors: { log: logger, statusOf, bodyOf: errorBody, retryAfterSeconds },
    bodyLimitBytes: MAX_BODY_BYTES,
    silentTimeoutMs: SILENT_TIMEOUT_MS,
  });
  guardGateway(app, token);
  const typed = (error: unknown): RollupError => {
    if (isRollupError(error)) return error;
    logger.error({ err: error }, "unforeseen failure of an answer");
    return processErrors.raise("SRV_INTERNAL", "the gateway failed in an unforeseen way", { cause: error });
  };
  const routes = { asker, locations, typed };
  const give = (route: AnswerRoute) => async (request: FastifyRequest, reply: FastifyReply) => {
    // The routes write past the framework, which has the headers of every answer.
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    try {
      const { body, headers, url } = request;
      const idempotency = idempotencyOf(headers, url.split("?")[0]!, body);
      await route(routes, { body, idempotency }, reply.raw);
      reply.hijack();
    } catch (error) {
      if (!reply.raw.headersSent && !reply.raw.destroyed) throw error;
      reply.hijack();
    }
  };
  app.post("/v1/chat/completions", give(answerChat));
  app.post("/v1/responses", give(answerResponses));
  app.get("/v1/models", async () => {
    const [models, { feeWei }] = await Promise.all([locations.models(), budget.feeOf()]);
    return { object: "list", data: models.map((model) => modelView(model, feeWei, maxPriceWei)) };
  });
  app.get("/v1/models/:model", async (request) => {
    const { model } = request.params as { model: string };
    const [found, { feeWei }] = await Promise.all([locations.model(model), budget.feeOf()]);
    return modelView(found, feeWei, maxPriceWei);
  });
  app.all("/mcp", (request, reply) => mcp.answer(request, reply));
  return app;
}

const modelView = (
  { assurance, datanets, figure, isPayable, modelId, name, priceWei, version }: PricedModel,
  feeWei: bigint,
  maxPriceWei: bigint,
) => ({
  id: name,
  object: "model",
  created: 0,
  owned_by: "openledger",
  openledger: {
    modelId,
    datanets,
    version,
    priceWei: `${priceWei}`,
    priceOpen: formatOpen(priceWei),
    isPayable,
    isWithinPrice: priceWei + feeWei <= maxPriceWei,
    assurance,
    figure,
  },
});
