/** The coordinator over HTTP (prover/ceremony/ceremony-api.ts), and its page. */
import { createReadStream, existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { z } from "zod";
import { isRollupError, type RollupError } from "../../circuits/rollup-error.ts";
import { keepRawBodies } from "../../circuits/wire/raw-bodies.ts";
import { validateByZod } from "../../circuits/wire/zod-routes.ts";
import { contributorName, ticketText } from "../ceremony/ceremony-api.ts";
import { type ProverErrorCode, proverError, proverErrors } from "../prover-errors.ts";
import type { Coordinator, CoordinatorLog } from "./coordinator.ts";
import { networkOf } from "./network-of.ts";

/** Of the page: address, type, content. */
export interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly content: string;
}

export interface CoordinatorApiOptions {
  readonly pieceBytes: number;
  readonly requestsPerMinute: number;
  readonly joinsPerMinute: number;
  readonly requestTimeoutMs: number;
  /** Of one's own, in front: each adds who asked it to x-forwarded-for. What stands before theirs is a stranger's word. */
  readonly proxyCount: number;
  readonly pages: readonly PageFile[];
  readonly log: CoordinatorLog & { error(facts: object, message: string): void };
}

const MAX_JSON_BYTES = 4_096;
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "worker-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types default",
].join("; ");

/** Routes are ready when the promise resolves. */
export async function createCoordinatorApi(
  coordinator: Coordinator,
  options: CoordinatorApiOptions,
): Promise<FastifyInstance> {
  const handleError = errorHandler(options);
  const app = fastify({
    bodyLimit: MAX_JSON_BYTES,
    forceCloseConnections: true,
    // A body that trickles in holds its connection no longer than this.
    requestTimeout: options.requestTimeoutMs,
    trustProxy: (_address: string, hop: number) => hop < options.proxyCount,
    frameworkErrors: handleError,
  });
  app.server.maxConnections = 1_000;
  app.setErrorHandler(handleError);
  validateByZod(app, ({ data, reason }) => proverError("PRV_CEREMONY_REQUEST", reason, { data }));
  keepRawBodies(app, (cause) => proverError("PRV_CEREMONY_REQUEST", "the body is not JSON", { cause }));
  app.addHook("onSend", async (_request, reply) => {
    reply.header("content-security-policy", POLICY);
    reply.header("x-content-type-options", "nosniff");
    reply.header("referrer-policy", "no-referrer");
    reply.header("cross-origin-opener-policy", "same-origin");
    reply.header("cross-origin-embedder-policy", "require-corp");
    reply.header("cache-control", "no-store");
  });
  await app.register(rateLimit, {
    max: options.requestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { after }) =>
      proverError("PRV_CEREMONY_FULL", `too many requests from this address; try again in ${after}`, {
        data: { after },
      }),
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request) => {
    throw proverError("PRV_CEREMONY_REQUEST", `there is no ${request.method} ${request.url.slice(0, 200)}`);
  });
  for (const { content, path, type } of options.pages)
    app.get(path, (_request, reply) =>
      reply
        .type(type)
        .serializer((text: string) => text)
        .send(content),
    );

  app.get("/v1/ceremony", () => coordinator.info());
  app.get("/v1/transcript", () => ({ entries: coordinator.entries }));
  app.post(
    "/v1/tickets",
    {
      schema: { body: z.strictObject({ name: contributorName }) },
      config: { rateLimit: { max: options.joinsPerMinute } },
    },
    (request) => ({
      ticket: coordinator.join((request.body as { name: string }).name, networkOf(request.ip)),
    }),
  );
  app.get(
    "/v1/ticket",
    { schema: { querystring: z.strictObject({ done: z.coerce.number().int().min(0).optional() }) } },
    (request) => coordinator.stateOf(ticketOf(request), (request.query as { done?: number }).done),
  );
  app.delete("/v1/ticket", (request) => {
    coordinator.leave(ticketOf(request));
    return {};
  });
  app.get("/v1/round", (request, reply) => sendFile(request, reply, coordinator.roundFor(ticketOf(request))));
  app.put(
    "/v1/round",
    {
      bodyLimit: options.pieceBytes,
      schema: { querystring: z.strictObject({ offset: z.coerce.number().int().min(0) }) },
      // Whose turn it is not sends no body that anybody would keep.
      onRequest: async (request: FastifyRequest) => void coordinator.roundFor(ticketOf(request)),
    },
    async (request) => {
      if (!(request.body instanceof Uint8Array))
        throw proverError("PRV_CEREMONY_REQUEST", "a piece is application/octet-stream");
      const { offset } = request.query as { offset: number };
      return { receivedBytes: await coordinator.upload(ticketOf(request), offset, request.body) };
    },
  );
  app.post("/v1/contribution", (request) => coordinator.submit(ticketOf(request)));
  app.get("/v1/key", async (request, reply) => {
    if (coordinator.info().state !== "finished" || !existsSync(coordinator.keyPath))
      throw proverError("PRV_CEREMONY_REQUEST", "the ceremony is not finished");
    return sendFile(request, reply, coordinator.keyPath);
  });
  await app.ready();
  return app;
}

function ticketOf({ headers }: FastifyRequest): string {
  const parsed = ticketText.safeParse((headers.authorization ?? "").replace(/^Bearer /, ""));
  if (parsed.success) return parsed.data;
  throw proverError("PRV_CEREMONY_TICKET", "the request names no ticket", {
    data: { reason: "none was named" },
  });
}

async function sendFile(request: FastifyRequest, reply: FastifyReply, path: string): Promise<FastifyReply> {
  const { size } = await stat(path);
  const from = Number(/^bytes=(\d{1,15})-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (from > size)
    throw proverError("PRV_CEREMONY_OFFSET", `there are ${size} bytes`, { data: { receivedBytes: size } });
  if (from > 0) reply.code(206).header("content-range", `bytes ${from}-${Math.max(from, size - 1)}/${size}`);
  reply.type("application/octet-stream").header("content-length", size - from);
  return reply.send(createReadStream(path, { start: from }));
}

const FRAMEWORK_CODES: Readonly<Record<string, ProverErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "PRV_CEREMONY_TOO_LARGE",
};

function errorHandler({ log }: CoordinatorApiOptions) {
  const typedOf = (error: unknown): RollupError => {
    if (isRollupError(error)) return error;
    const { code, message, statusCode } = error as { code?: string; message?: string; statusCode?: number };
    const known = FRAMEWORK_CODES[code ?? ""];
    if (known !== undefined) return proverError(known, message ?? known, { cause: error });
    if (statusCode !== undefined && statusCode < 500)
      return proverError("PRV_CEREMONY_REQUEST", message ?? "the request is malformed", { cause: error });
    log.error({ err: error }, "unforeseen failure of a request");
    return proverError("PRV_CEREMONY_INTERNAL", "the coordinator failed in an unforeseen way", {
      cause: error,
    });
  };
  return (error: unknown, _request: FastifyRequest, reply: FastifyReply): void => {
    const typed = typedOf(error);
    const { code, data, message } = typed.toJSON() as {
      code: ProverErrorCode;
      message: string;
      data: object;
    };
    reply
      .code(proverErrors[code]?.httpStatus ?? 500)
      .type("application/json; charset=utf-8")
      .serializer((body: unknown) => JSON.stringify(body))
      .send({ error: { code, message, data, docs: `docs/errors.md#${code.toLowerCase()}` } });
  };
}
