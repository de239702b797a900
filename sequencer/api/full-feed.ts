import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { networkOf } from "../../circuits/http/client-network.ts";
import { bodyOfError, type HttpErrors } from "../../circuits/http/http-errors.ts";
import type { TrustedProxies } from "../../circuits/http/trusted-proxies.ts";
import { isRollupError } from "../../circuits/rollup-error.ts";
import type { Feed } from "../batches/feed.ts";

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Refuses feeds where there is no room before the framework sees them: a storm of them costs no routes, hooks and headers.
 * What comes through a proxy takes the long way, which knows whose it is.
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
        const body = JSON.stringify(bodyOfError(error, errors));
        const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\nx-content-type-options: nosniff\r\nretry-after: 60\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
        socket.on("error", () => socket.destroy());
        socket.end(head + body, () => socket.destroy());
        return;
      }
    }
    for (const listener of serve) listener.call(server, request, socket, head);
  }) satisfies Upgrade);
}
