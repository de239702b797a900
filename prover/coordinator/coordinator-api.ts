/** The coordinator over HTTP (prover/ceremony/ceremony-api.ts), and its page. */
import { createReadStream, existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { clientNetwork } from "@openledger/foundation/http/client-network";
import { createServer } from "@openledger/foundation/http/create-server";
import type { HttpErrors, ServerLog } from "@openledger/foundation/http/http-errors";
import type { ServerLimits } from "@openledger/foundation/http/server-settings";
import { routesOf, validateByZod } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { contributorName, ticketText } from "../ceremony/ceremony-api.ts";
import { proverError, proverErrors } from "../prover-errors.ts";
import type { Coordinator, CoordinatorLog } from "./coordinator.ts";

/** Of the page: address, type, content. */
interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly content: string;
}

export interface CoordinatorApiOptions extends ServerLimits {
  readonly pieceBytes: number;
  readonly joinsPerMinute: number;
  readonly pages: readonly PageFile[];
  readonly log: CoordinatorLog & ServerLog;
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
  const app = await createServer({
    limits: options,
    errors: ceremonyErrors(options.log),
    bodyLimitBytes: MAX_JSON_BYTES,
    hasRawBodies: true,
    headers: {
      "content-security-policy": POLICY,
      "cross-origin-embedder-policy": "require-corp",
      "cache-control": "no-store",
    },
  });
  validateByZod(app, ({ data, reason }) => proverError("SRV_BAD_REQUEST", reason, { data }));
  const route = routesOf(app);
  for (const { content, path, type } of options.pages)
    app.get(path, (_request, reply) =>
      reply
        .type(type)
        .serializer((text: string) => text)
        .send(content),
    );

  app.get("/v1/ceremony", () => coordinator.info());
  app.get("/v1/transcript", () => ({ entries: coordinator.entries }));
  route(
    "POST /v1/tickets",
    {
      body: z.strictObject({ name: contributorName }),
      config: { rateLimit: { max: options.joinsPerMinute } },
    },
    (request) => ({
      ticket: coordinator.join(request.body.name, clientNetwork(request)),
    }),
  );
  route(
    "GET /v1/ticket",
    { querystring: z.strictObject({ done: z.coerce.number().int().min(0).optional() }) },
    (request) => coordinator.stateOf(ticketOf(request), request.query.done),
  );
  app.delete("/v1/ticket", (request) => {
    coordinator.leave(ticketOf(request));
    return {};
  });
  app.get("/v1/round", (request, reply) => sendFile(request, reply, coordinator.roundFor(ticketOf(request))));
  route(
    "PUT /v1/round",
    {
      bodyLimit: options.pieceBytes,
      querystring: z.strictObject({ offset: z.coerce.number().int().min(0) }),
      onRequest: async (request: FastifyRequest) => void coordinator.roundFor(ticketOf(request)),
    },
    async (request) => {
      if (!(request.body instanceof Uint8Array))
        throw proverError("SRV_BAD_REQUEST", "a piece is application/octet-stream");
      const { offset } = request.query;
      return { receivedBytes: await coordinator.upload(ticketOf(request), offset, request.body) };
    },
  );
  app.post("/v1/contribution", (request) => coordinator.submit(ticketOf(request)));
  app.get("/v1/key", async (request, reply) => {
    if (coordinator.info().state !== "finished" || !existsSync(coordinator.keyPath))
      throw proverError("SRV_BAD_REQUEST", "the ceremony is not finished");
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
    throw proverError("PRV_CEREMONY_INCOMPLETE", `there are ${size} bytes`, {
      data: { reason: "ceremony-offset", receivedBytes: size },
    });
  if (from > 0) reply.code(206).header("content-range", `bytes ${from}-${Math.max(from, size - 1)}/${size}`);
  reply.type("application/octet-stream").header("content-length", size - from);
  return reply.send(createReadStream(path, { start: from }));
}

function ceremonyErrors(log: ServerLog): HttpErrors {
  return {
    log,
    statusOf: ({ code }) => proverErrors.statusOf(code) ?? 500,
  };
}
