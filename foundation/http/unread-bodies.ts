/**
 * Ends the connection of a refused request whose large body is still on its way, so that refusals cost little. http-errors.ts
 * calls it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";

/** Maximum announced bytes that are read and discarded, so that the connection can serve the next request. */
const MAX_DRAINED_BYTES = 262_144;
/** Time for the sender to see the answer before its connection ends. */
const LINGER_MS = 500;

/**
 * Node reads a body that nobody wants to its end: 30 MB of work for each refusal. This reads no more of a large one,
 * leaves its sender half a second for the answer, and ends the connection.
 */
export function leaveUnread(request: IncomingMessage, response: ServerResponse): void {
  // A body in chunks has no announced length.
  const announced =
    request.headers["transfer-encoding"] === undefined
      ? Number(request.headers["content-length"] ?? 0)
      : Number.POSITIVE_INFINITY;
  const { socket } = request;
  // A call within the process (fastify's inject) has no connection.
  if (request.complete || announced <= MAX_DRAINED_BYTES || !(socket instanceof Socket)) return;
  response.once("finish", () => {
    setImmediate(() => {
      // A listener of its own takes the socket from the HTTP parser, which heeds no pause.
      socket.on("data", () => {});
      socket.pause();
      const timer = setTimeout(() => socket.destroy(), LINGER_MS);
      socket.once("close", () => clearTimeout(timer));
    });
  });
}
