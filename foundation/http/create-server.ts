/**
 * Makes the HTTP server of every process: bounds of connections, bodies, time and requests, the client's address behind
 * proxies, headers on every answer, and one form of refusals. Routes are the caller's.
 */

import type { Socket } from "node:net";
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance, type FastifyListenOptions, type FastifyRequest } from "fastify";
import { processErrors } from "../error-table.ts";
import { countAnswers } from "./answer-costs.ts";
import { readBodies } from "./bodies.ts";
import { BodySlots } from "./body-slots.ts";
import { clientNetwork } from "./client-network.ts";
import { errorHandler, type HttpErrors, refusalText } from "./http-errors.ts";
import { asksByName } from "./local-requests.ts";
import { protectServer } from "./protect-server.ts";
import { MAX_CONNECTIONS, type ServerLimits } from "./server-settings.ts";
import { endSlowBodies } from "./slow-bodies.ts";
import { TrustedProxies } from "./trusted-proxies.ts";

export interface ServerOptions {
  readonly limits: ServerLimits;
  readonly errors: HttpErrors;
  /** Maximum body of routes without a `bodyLimit` of their own. */
  readonly bodyLimitBytes: number;
  /** True if the server accepts octets too and stores the bytes for `rawBodyOf`. Default: JSON alone. */
  readonly hasRawBodies?: boolean;
  /**
   * Time for a request to arrive whole; larger bodies may take longer, at 64 KiB/s or more (slow-bodies.ts).
   * Default: 30 s.
   */
  readonly requestTimeoutMs?: number;
  /** Maximum silence in an answer or before it. Default: two minutes. */
  readonly silentTimeoutMs?: number;
  /** Headers besides `ANSWER_HEADERS`, or in their place. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the client's network. */
  readonly rateKey?: (request: FastifyRequest) => string;
  /** True for requests of the operator's own servers, whose number nobody limits. Default: there are none. */
  readonly isOwn?: (request: FastifyRequest) => boolean;
}

/**
 * Headers of every answer. No answer may run scripts, frame, be framed or make requests. Pages have a policy
 * of their own.
 */
export const ANSWER_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

const REQUEST_TIMEOUT_MS = 30_000;
const SILENT_TIMEOUT_MS = 120_000;
/** Maximum delay until a connection is ended after its time is over. */
const MAX_LATE_MS = 5_000;

/**
 * Routes may be added when the promise resolves.
 * @throws CIR_DESCRIPTORS_TOO_FEW
 */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const {
    bodyLimitBytes,
    errors,
    hasRawBodies = false,
    limits,
    requestTimeoutMs = REQUEST_TIMEOUT_MS,
  } = options;
  const { isOwn = () => false, rateKey = clientNetwork, silentTimeoutMs = SILENT_TIMEOUT_MS } = options;
  const { maxConnections = MAX_CONNECTIONS, proxies = new TrustedProxies(), publicUrl = "" } = limits;
  const headers = { ...ANSWER_HEADERS, ...options.headers };
  const handleError = errorHandler(errors, headers);
  const app = fastify({
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: true,
    http: {
      connectionsCheckingInterval: Math.min(MAX_LATE_MS, Math.ceil(requestTimeoutMs / 4)),
      // Node answers a request without one by an empty 400; `requireForm` has the words.
      requireHostHeader: false,
    },
    trustProxy: (address: string) => proxies.has(address),
    frameworkErrors: handleError,
    clientErrorHandler: (error, socket) => refuseConnection(error, socket, errors, headers),
  });
  nameRefusedPort(app);
  protectServer(app.server, { maxConnections, proxies, silentTimeoutMs, requestTimeoutMs }, errors.log);
  app.setErrorHandler(handleError);
  app.addHook("onRequest", async (request, reply) => {
    const { raw } = request;
    reply.headers(headers);
    requireForm(request);
    if (!asksByName(raw, publicUrl))
      throw processErrors.raise(
        "SRV_BAD_REQUEST",
        "this server is not asked by that name: its setting of the public URL has the other one",
        {
          data: { host: raw.headers.host?.slice(0, 200) },
        },
      );
  });
  const slots = new BodySlots();
  app.addHook("onRequest", async (request, reply) => {
    if (!slots.take(request, reply))
      throw processErrors.raise("SRV_RATE_LIMITED", "other large requests are being read; try again");
  });
  endSlowBodies(app, requestTimeoutMs, bodyLimitBytes);
  readBodies(app, hasRawBodies);
  await app.register(rateLimit, {
    max: limits.rateLimitPerMinute,
    timeWindow: 60_000,
    keyGenerator: rateKey,
    allowList: isOwn,
    errorResponseBuilder: (_request, { after }) =>
      processErrors.raise("SRV_RATE_LIMITED", `too many requests; try again in ${after}`, {
        data: { after },
      }),
  });
  countAnswers(app, { unitsPerMinute: limits.rateLimitPerMinute, keyOf: rateKey, isOwn });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, ({ method, url }) => {
    throw processErrors.raise("SRV_UNKNOWN_ROUTE", `there is no ${method} ${url.slice(0, 200)}`);
  });
  return app;
}

/** Refuses requests that libraries below would refuse in their own words. @throws SRV_BAD_REQUEST */
function requireForm({ raw, routeOptions }: FastifyRequest): void {
  const { headers, httpVersion } = raw;
  if (headers.host === undefined && httpVersion === "1.1")
    throw processErrors.raise("SRV_BAD_REQUEST", "a request of HTTP/1.1 has a Host header");
  const isPreflight = headers.origin !== undefined && headers["access-control-request-method"] !== undefined;
  // Only a server for pages of other origins has such a route.
  if (raw.method === "OPTIONS" && !isPreflight && routeOptions.url !== undefined)
    throw processErrors.raise(
      "SRV_BAD_REQUEST",
      "OPTIONS is a browser's preflight here: it has the headers Origin and Access-Control-Request-Method",
    );
}

/**
 * Makes `listen` throw SRV_CONFIG_INVALID if another process has the port, or the system denies it to this
 * one.
 */
function nameRefusedPort(app: FastifyInstance): void {
  const listen = app.listen.bind(app) as (target: FastifyListenOptions) => Promise<string>;
  const listenOrName = async (target: FastifyListenOptions): Promise<string> => {
    try {
      return await listen(target);
    } catch (error) {
      const why = REFUSED_PORTS.get((error as NodeJS.ErrnoException).code ?? "");
      if (why === undefined) throw error;
      const { host = "localhost", port } = target;
      const message = `port ${port} of ${host} ${why}: set another port, or end what has it`;
      throw processErrors.raise("SRV_CONFIG_INVALID", message, { data: { host, port }, cause: error });
    }
  };
  app.listen = listenOrName as typeof app.listen;
}

const REFUSED_PORTS: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "is in use by another process"],
  ["EACCES", "is for privileged processes alone"],
]);

/**
 * Refuses a connection whose bytes are no HTTP, or did not arrive in time. The framework never sees such a
 * request.
 */
function refuseConnection(
  { code }: { code?: string },
  socket: Socket,
  errors: HttpErrors,
  headers: Readonly<Record<string, string>>,
): void {
  if (socket.writable && code !== "ECONNRESET") {
    const isLate = code === "ERR_HTTP_REQUEST_TIMEOUT";
    const status = isLate ? 408 : code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
    const message = isLate ? "the request did not come in time" : "the request is not HTTP";
    socket.write(refusalText(status, processErrors.raise("SRV_BAD_REQUEST", message), errors, headers));
  }
  socket.destroySoon();
}
