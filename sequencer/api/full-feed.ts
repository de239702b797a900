/**
 * Refuses WebSocket upgrades to the feed that are malformed, or beyond the number that it allows, before the framework spends
 * work on them. api.ts installs it on its server.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { processErrors } from "@openledger/foundation/error-table";
import { networkOf } from "@openledger/foundation/http/client-network";
import { ANSWER_HEADERS } from "@openledger/foundation/http/create-server";
import { type HttpErrors, refusalText } from "@openledger/foundation/http/http-errors";
import type { TrustedProxies } from "@openledger/foundation/http/trusted-proxies";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { WebSocketServer } from "ws";
import type { Feed } from "../batches/feed.ts";

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Refuses a request that does not open a feed, in the server's form; the library would answer in plain text. */
export function refuseMalformedFeed(feeds: WebSocketServer, errors: HttpErrors): void {
  feeds.on("wsClientError", ({ message }, socket) => {
    const error = processErrors.raise("SRV_BAD_REQUEST", `this does not open a WebSocket: ${message}`);
    const status = errors.statusOf(error);
    errors.onRefusal?.(error, status);
    socket.on("error", () => socket.destroy());
    socket.end(refusalText(status, error, errors, ANSWER_HEADERS), () => socket.destroy());
  });
}

/**
 * Refuses feeds beyond the places before the framework sees them: a storm of them costs no routes, hooks and headers.
 * Requests through a proxy take the long way, which knows the client's address.
 */
export function refuseFullFeed(
  server: Server,
  feed: Pick<Feed, "requireRoom">,
  proxies: TrustedProxies,
  errors: HttpErrors,
): void {
  const serve = server.listeners("upgrade") as Upgrade[];
  server.removeAllListeners("upgrade");
  server.on("upgrade", ((request, socket, head) => {
    const { remoteAddress } = request.socket;
    if (request.url?.startsWith("/v1/feed") && remoteAddress !== undefined && !proxies.has(remoteAddress)) {
      try {
        feed.requireRoom(networkOf(remoteAddress));
      } catch (error) {
        if (!isRollupError(error)) throw error;
        const status = errors.statusOf(error);
        errors.onRefusal?.(error, status);
        const headers = { ...ANSWER_HEADERS, "retry-after": "60" };
        socket.on("error", () => socket.destroy());
        socket.end(refusalText(status, error, errors, headers), () => socket.destroy());
        return;
      }
    }
    for (const listener of serve) listener.call(server, request, socket, head);
  }) satisfies Upgrade);
}
