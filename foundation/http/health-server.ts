/** Health and metrics of processes that have no API of their own: the bridge and the queue's workers. */
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { processErrors } from "../error-table.ts";
import { createServer } from "./create-server.ts";
import type { HttpErrors, ServerLog } from "./http-errors.ts";
import { serveMetrics } from "./serve-metrics.ts";

/** A running server. */
export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Limits for the operator's own tools, the only clients. */
const LIMITS = { maxConnections: 64, rateLimitPerMinute: 6_000 };

/**
 * Starts a server of GET /health (503 while `isHealthy` returns false) and GET /metrics, for this machine
 * alone. @throws CIR_DESCRIPTORS_TOO_FEW
 */
export async function startHealthServer(options: {
  port: number;
  registry: Registry;
  health: () => { isHealthy: boolean; [fact: string]: unknown };
  log: ServerLog;
}): Promise<HealthServer> {
  const { health, log, port, registry } = options;
  const errors: HttpErrors = { log, statusOf: ({ code }) => processErrors.statusOf(code) ?? 500 };
  const app = await createServer({ limits: LIMITS, errors, bodyLimitBytes: 1 });
  app.get("/health", (_request, reply) => {
    const facts = health();
    return reply.code(facts.isHealthy ? 200 : 503).send(facts);
  });
  serveMetrics(app, "/metrics", { textOf: () => registry });
  await app.listen({ host: "127.0.0.1", port });
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
}
