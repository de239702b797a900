import cors from "@fastify/cors";
import { clientNetwork } from "@openledger/foundation/http/client-network";
import { createServer } from "@openledger/foundation/http/create-server";
import type { HttpErrors, ServerLog } from "@openledger/foundation/http/http-errors";
import { serveMetrics } from "@openledger/foundation/http/serve-metrics";
import type { ServerLimits } from "@openledger/foundation/http/server-settings";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Registry } from "prom-client";
import type { AdapterStore } from "../adapters/adapter-store.ts";
import type { AnswerBilling } from "./answer-billing.ts";
import type { CompletionService } from "./completion-service.ts";
import { errorView } from "./openai-answers.ts";
import { parseChat, parseCompletion } from "./openai-requests.ts";
import type { ServingEngine } from "./serving-engine.ts";

interface ServingAppModules {
  readonly service: CompletionService;
  readonly engine: ServingEngine;
  readonly adapterStore: AdapterStore;
  readonly registry: Registry;
  readonly baseName: string;
  /** Bytes of a prompt's text. */
  readonly mostPromptBytes: number;
  readonly limits: ServerLimits;
  readonly log: ServerLog;
  /** Absent where answers cost nothing. */
  readonly book?: AnswerBilling | undefined;
  /** Other servers' routes by what their paths begin with: "/ledger/15". */
  readonly mounts?: ReadonlyMap<string, FastifyInstance> | undefined;
}

const MAX_BODY_BYTES = 8 * 2 ** 20;
/** Of a body beside its texts, and of a byte of text where JSON escapes it: \u0061. */
const [OTHER_BYTES, ESCAPED_BYTES] = [65_536, 6];
/** An answer waits for its turn. */
const SILENT_TIMEOUT_MS = 600_000;

/** OpenAI's routes, health and metrics; the caller listens. */
export async function createServingApp(modules: ServingAppModules): Promise<FastifyInstance> {
  const { baseName, book, service, engine, log, mostPromptBytes, registry, adapterStore } = modules;
  const errors = servingErrors(engine, log);
  const app = await createServer({
    limits: modules.limits,
    errors,
    bodyLimitBytes: Math.min(MAX_BODY_BYTES, OTHER_BYTES + ESCAPED_BYTES * mostPromptBytes),
    silentTimeoutMs: SILENT_TIMEOUT_MS,
  });
  const startedSeconds = Math.floor(Date.now() / 1000);
  // Anybody's page may ask: there are no cookies, and what costs something is signed by the account that pays.
  await app.register(cors, { origin: "*", methods: ["GET", "POST"], maxAge: 86_400 });
  const modelView = (id: string) => ({
    id,
    object: "model",
    created: startedSeconds,
    owned_by: "openledger",
    parent: id === baseName ? null : baseName,
    openledger: book === undefined ? { charging: "free" } : { charging: "ledger", ...book.registered(id) },
  });
  app.get("/v1/models", async () => ({
    object: "list",
    data: [baseName, ...(await adapterStore.names())].map(modelView),
  }));
  app.get<{ Params: { model: string } }>("/v1/models/:model", async (request) => {
    const { model } = request.params;
    if (model !== baseName) adapterStore.stamp(model);
    return modelView(model);
  });
  app.post("/v1/completions", (request, reply) => give(request, reply, parseCompletion));
  app.post("/v1/chat/completions", (request, reply) => give(request, reply, parseChat));
  app.get("/health", (_request, reply) => {
    const { activeCount, isHealthy, queuedCount } = engine;
    return reply.code(isHealthy ? 200 : 503).send({ isHealthy, activeCount, queuedCount });
  });
  serveMetrics(app, "/metrics", { textOf: () => registry });
  for (const [path, inner] of modules.mounts ?? [])
    app.all(`${path}/*`, {
      // The other server counts them, by model.
      config: { rateLimit: false },
      // Before the body is read: the other server reads it.
      onRequest: (request, reply) => {
        reply.hijack();
        request.raw.url = request.url.slice(path.length);
        inner.routing(request.raw, reply.raw);
      },
      handler: () => undefined,
    });
  await app.ready();
  return app;

  async function give(
    request: FastifyRequest,
    reply: FastifyReply,
    parse: (body: unknown) => Parameters<CompletionService["answer"]>[0],
  ) {
    const body = parse(request.body);
    // Nobody holds it while its answer waits for a turn.
    request.body = undefined;
    if (body.model !== baseName) adapterStore.stamp(body.model);
    // The service writes past the framework, which has the headers of other origins' pages.
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    try {
      await service.answer(body, clientNetwork(request), reply.raw);
      reply.hijack();
    } catch (error) {
      // What failed in the middle of a stream has been said there.
      if (!reply.raw.headersSent && !reply.raw.destroyed) throw error;
      reply.hijack();
    }
  }
}

/** In OpenAI's form, whatever refuses. */
function servingErrors(engine: ServingEngine, log: ServerLog): HttpErrors {
  return {
    log,
    statusOf: (error) => errorView(error).status,
    bodyOf: (error) => errorView(error).body,
    retryAfterSeconds: () => engine.retryAfterSeconds,
  };
}
