/**
 * Ends requests whose body comes too slowly; create-server.ts sets it for every server. One long time-out for large bodies
 * would let anybody hold a connection, and what is in memory of a body, for all of it. With a rate, anyone who sends at it may
 * send as much as the route takes, and a body that trickles ends after the same time as a small one. (Apache: mod_reqtimeout;
 * Kestrel: MinRequestBodyDataRate.)
 */
import { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

const BODY_BYTES_PER_SECOND = 64 * 1024;
const CHECK_EVERY_MS = 1_000;

/** Ends requests that are not whole after `graceMs`, and came more slowly than the rate since they began. */
export function endSlowBodies(app: FastifyInstance, graceMs: number, bodyLimitBytes: number): void {
  let longestMs = graceMs;
  const allow = (bytes: number) => {
    longestMs = Math.max(longestMs, Math.ceil((1_000 * bytes) / BODY_BYTES_PER_SECOND));
    app.server.requestTimeout = longestMs;
  };
  allow(bodyLimitBytes);
  app.addHook("onRoute", ({ bodyLimit = 0 }) => allow(bodyLimit));
  app.addHook("onRequest", async ({ headers, raw }) => {
    // The server's own time-out suffices if no route accepts more bytes than arrive in that time.
    if (longestMs === graceMs) return;
    const { socket } = raw;
    // A request of `app.inject` has no connection: nobody holds one by it.
    if (!(socket instanceof Socket)) return;
    const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
    if (!hasBody || raw.complete) return;
    const [begunAtMs, bytesBefore] = [performance.now(), socket.bytesRead];
    const look = () => {
      if (raw.complete || socket.destroyed) return;
      const seconds = (performance.now() - begunAtMs) / 1_000;
      if (socket.bytesRead - bytesBefore >= seconds * BODY_BYTES_PER_SECOND) {
        timer = setTimeout(look, CHECK_EVERY_MS);
        return;
      }
      const error = Object.assign(new Error("the body comes too slowly"), {
        code: "ERR_HTTP_REQUEST_TIMEOUT",
      });
      app.server.emit("clientError", error, socket);
    };
    let timer = setTimeout(look, graceMs);
    raw.once("close", () => clearTimeout(timer));
  });
}
