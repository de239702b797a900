/** Progress of a tool's call: a client that asked for it hears every few seconds that the gateway is at work, and waits on. */
import type { ServerContext } from "@modelcontextprotocol/server";

const PROGRESS_INTERVAL_MS = 3_000;

/** Sends progress until the returned function is called. Sends nothing where the client gave no progress token. */
export function sendProgress({ mcpReq }: ServerContext): () => void {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return () => {};
  const startedMs = performance.now();
  const timer = setInterval(() => {
    // Only increases, as the protocol demands.
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    const params = { progressToken, progress: seconds, message: `under way for ${seconds} s` };
    // A client that has left hears nothing.
    void mcpReq.notify({ method: "notifications/progress", params }).catch(() => {});
  }, PROGRESS_INTERVAL_MS);
  return () => clearInterval(timer);
}
