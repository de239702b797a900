/**
 * The HTTP of the answer server: OpenAI's routes for the base, those of registered models (that the ledger has),
 * health and metrics. serve-models.ts makes it and listens.
 */
import cors from "@fastify/cors";
import { clientNetwork } from "@openledger/foundation/http/client-network";
import { createServer } from "@openledger/foundation/http/create-server";
import type { HttpErrors, ServerLog } from "@openledger/foundation/http/http-errors";
import { serveMetrics } from "@openledger/foundation/http/serve-metrics";
import type { ServerLimits } from "@openledger/foundation/http/server-settings";
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from "fastify";
import type { Registry } from "prom-client";
import type { AdapterStore } from "../engine/adapters/adapter-store.ts";
import { servingError } from "../model-errors.ts";
import { LEDGER_PATH } from "./answers/answer-routes.ts";
import { refusalHeaders, X402_EXPOSED, x402RequestOf } from "./answers/x402-exchange.ts";
import type { ApiKey, ApiKeys } from "./api-keys.ts";
import type { AnswerBilling } from "./billing/answer-billing.ts";
import type { CompletionService } from "./openai/completion-service.ts";
import type { EmbeddingService } from "./openai/embedding-service.ts";
import { ClientGone } from "./openai/make-answer.ts";
import { errorView } from "./openai/openai-answers.ts";
import { parseChat, parseCompletion, parseEmbedding } from "./openai/openai-requests.ts";
import type { ServingEngine } from "./serving-engine.ts";

/** A base with its adapters, as OpenAI's routes need it. */
export interface LanguageRoutes {
  readonly service: CompletionService;
  readonly embeddings: EmbeddingService;
  readonly engine: ServingEngine;
  readonly adapterStore: AdapterStore;
  readonly baseName: string;
  /** Limit of a prompt's text. */
  readonly maxPromptBytes: number;
  /** Absent if all answers are free. */
  readonly billing: AnswerBilling | undefined;
}

interface ServingAppModules {
  readonly registry: Registry;
  readonly keys: ApiKeys;
  /** True while the database answers: without it nobody is served. */
  readonly isReachable: () => Promise<boolean>;
  readonly limits: ServerLimits;
  readonly log: ServerLog;
  readonly onRefusal: NonNullable<HttpErrors["onRefusal"]>;
  /** null if no base is served: there are none of OpenAI's routes then. */
  readonly language: LanguageRoutes | null;
  /** Routes of registered models; null if none are served. */
  readonly ledger: FastifyInstance | null;
  /** Path where a registered model is asked that no route of OpenAI's sells, as a classifier; null for every other name. */
  readonly askPathOf: (model: string) => string | null;
}

const MAX_BODY_BYTES = 8 * 2 ** 20;
/** Bytes of a body beside its texts, and of a byte of text that JSON escapes: \u0061. */
const [OTHER_BYTES, ESCAPED_BYTES] = [65_536, 6];
/** An answer waits for its turn. */
const SILENT_TIMEOUT_MS = 600_000;

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** OpenAI's routes, those of registered models, health and metrics; the caller listens. */
export async function createServingApp(modules: ServingAppModules): Promise<FastifyInstance> {
  const { language, ledger, log, onRefusal, registry } = modules;
  const maxPromptBytes = language?.maxPromptBytes ?? 0;
  const app = await createServer({
    limits: modules.limits,
    errors: { ...servingErrors(language?.engine, log), onRefusal },
    bodyLimitBytes: Math.min(MAX_BODY_BYTES, OTHER_BYTES + ESCAPED_BYTES * maxPromptBytes),
    silentTimeoutMs: SILENT_TIMEOUT_MS,
  });
  // Anybody's page may ask: there are no cookies, and what costs something is signed by the account that pays.
  await app.register(cors, {
    origin: "*",
    methods: ["GET", "POST"],
    maxAge: 86_400,
    exposedHeaders: X402_EXPOSED,
  });
  app.get("/health", async (_request, reply) => {
    const { activeCount = 0, isHealthy: isRunning = true, queuedCount = 0 } = language?.engine ?? {};
    const isHealthy = isRunning && (await modules.isReachable());
    return reply.code(isHealthy ? 200 : 503).send({ isHealthy, activeCount, queuedCount });
  });
  serveMetrics(app, "/metrics", { textOf: () => registry });
  if (ledger === null) app.get(LEDGER_PATH, () => ({ models: [] }));
  else mountLedger(app, ledger);
  if (language !== null) addOpenaiRoutes(app, language, modules);
  else {
    // Pages ask every server which adapters it has.
    app.get("/v1/models", () => ({ object: "list", data: [] }));
    for (const url of ["/v1/completions", "/v1/chat/completions"])
      app.post(url, (request) => {
        const { model } = (request.body ?? {}) as { model?: unknown };
        if (typeof model === "string") requireWriting(model, modules);
        throw servingError("SRV_UNKNOWN_ROUTE", `this server has no models that write: there is no ${url}`);
      });
  }
  await app.ready();
  return app;
}

/** @throws MOD_SERVE_MODEL_UNKNOWN for a classifier, naming where it is asked */
function requireWriting(model: string, { askPathOf }: Pick<ServingAppModules, "askPathOf">): void {
  const askPath = askPathOf(model);
  if (askPath === null) return;
  const where = `POST ${askPath}, signed or paid by x402, or by the routes of a gateway (openledger gateway)`;
  throw servingError(
    "MOD_SERVE_MODEL_UNKNOWN",
    `${model} gives labels, and is not sold here: ask it by ${where}`,
    {
      data: { param: "model", askPath },
    },
  );
}

/** Hands requests below `LEDGER_PATH` to the routes of registered models. */
function mountLedger(app: FastifyInstance, ledger: FastifyInstance): void {
  for (const path of [LEDGER_PATH, `${LEDGER_PATH}/*`])
    app.all(path, {
      // Those routes count requests by model.
      config: { rateLimit: false },
      // Before the body is read: those routes read it.
      onRequest: (request, reply) => {
        reply.hijack();
        const rest = request.url.slice(LEDGER_PATH.length);
        request.raw.url = rest.startsWith("/") ? rest : `/${rest}`;
        ledger.routing(request.raw, reply.raw);
      },
      handler: () => undefined,
    });
}

function addOpenaiRoutes(
  app: FastifyInstance,
  language: LanguageRoutes,
  { askPathOf, keys, limits: { publicUrl } }: Pick<ServingAppModules, "askPathOf" | "keys" | "limits">,
): void {
  const { adapterStore, baseName, billing, embeddings, service } = language;
  const startedSeconds = Math.floor(Date.now() / 1000);
  const chargingOf = async (id: string) => {
    if (billing?.charges(id) !== true) return { charging: "free" };
    const registered = billing.registered(id);
    if (registered === null) return { charging: "ledger" };
    return { charging: "ledger", ...registered, isPayable: await billing.isPayable(id) };
  };
  const modelView = async (id: string) => ({
    id,
    object: "model",
    created: startedSeconds,
    owned_by: "openledger",
    parent: id === baseName ? null : baseName,
    openledger: await chargingOf(id),
  });
  const keyOf = new WeakMap<FastifyRequest, ApiKey | null>();
  // After the network's limit, and before the body is read.
  const preParsing = async (request: FastifyRequest, reply: FastifyReply) => {
    const key = await keys.admit(request.headers.authorization);
    keyOf.set(request, key);
    try {
      await key?.takeRequest();
    } finally {
      reply.headers(key?.headers ?? {});
    }
  };
  const route = (method: "GET" | "POST", url: string, handler: RouteHandlerMethod) => {
    const methods = method === "GET" ? ["GET", "HEAD"] : [method];
    app.route({ method, url, preParsing, handler });
    app.route({
      method: METHODS.filter((other) => !methods.includes(other)),
      url,
      preParsing: async (request, reply) => {
        reply.header("allow", methods.join(", "));
        const message = `Not allowed to ${request.method} on ${url}. Perhaps you meant ${method}`;
        throw servingError("SRV_UNKNOWN_ROUTE", message, { data: { openaiCode: "method_not_supported" } });
      },
      handler: () => undefined,
    });
  };
  route("GET", "/v1/models", async () => ({
    object: "list",
    data: await Promise.all([baseName, ...(await adapterStore.names())].map(modelView)),
  }));
  route("GET", "/v1/models/:model", async (request) => {
    const { model } = request.params as { model: string };
    if (model !== baseName) adapterStore.stamp(model);
    return modelView(model);
  });
  route("POST", "/v1/completions", (request, reply) => give(request, reply, parseCompletion));
  route("POST", "/v1/chat/completions", (request, reply) => give(request, reply, parseChat));

  route("POST", "/v1/embeddings", async (request, reply) => {
    const body = parseEmbedding(request.body);
    request.body = undefined;
    if (body.model !== baseName) adapterStore.stamp(body.model);
    const key = keyOf.get(request) ?? null;
    const asker = { address: clientNetwork(request), key };
    try {
      return await embeddings.embed(body, asker, () => !reply.raw.destroyed);
    } catch (error) {
      if (!(error instanceof ClientGone)) throw error;
      // Nobody is left to tell.
      return reply.hijack();
    }
  });

  async function give(
    request: FastifyRequest,
    reply: FastifyReply,
    parse: (body: unknown) => Parameters<CompletionService["answer"]>[0],
  ) {
    const body = parse(request.body);
    // Nobody holds it while its answer waits for a turn.
    request.body = undefined;
    requireWriting(body.model, { askPathOf });
    if (body.model !== baseName) adapterStore.stamp(body.model);
    // The service writes past the framework, which has the headers of other origins' pages.
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    try {
      const key = keyOf.get(request) ?? null;
      const x402 =
        key === null && body.openledger === undefined
          ? { x402: x402RequestOf(request, { publicUrl, ledgerPath: LEDGER_PATH, path: request.url }) }
          : {};
      await service.answer(body, { address: clientNetwork(request), key, ...x402 }, reply.raw);
      reply.hijack();
    } catch (error) {
      reply.headers(refusalHeaders(error));
      // An error in the middle of a stream was sent there.
      if (!reply.raw.headersSent && !reply.raw.destroyed) throw error;
      reply.hijack();
    }
  }
}

/** Errors in OpenAI's form, whatever refuses. */
function servingErrors(engine: ServingEngine | undefined, log: ServerLog): HttpErrors {
  return {
    log,
    statusOf: (error) => errorView(error).status,
    bodyOf: (error) => errorView(error).body,
    retryAfterSeconds: ({ data }) => {
      const { retryAfterSeconds: own } = data as { retryAfterSeconds?: number };
      return own ?? engine?.retryAfterSeconds ?? 1;
    },
  };
}
