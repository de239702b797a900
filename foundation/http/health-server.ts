import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { RollupError } from "../rollup-error.ts";
import { createServer } from "./create-server.ts";
import type { HttpErrors, HttpFault, ServerLog } from "./http-errors.ts";
import { serveMetrics } from "./serve-metrics.ts";

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** The operator's own tools, and nobody else, ask it. */
const LIMITS = { maxConnections: 64, rateLimitPerMinute: 6_000 };
const STATUSES: Partial<Record<HttpFault, number>> = {
  internal: 500,
  "rate-limited": 429,
  "too-large": 413,
  "unknown-route": 404,
};

/** GET /health, 503 while `isHealthy` says no, and GET /metrics, for this machine alone. @throws CIR_DESCRIPTORS_TOO_FEW */
export async function startHealthServer(options: {
  port: number;
  registry: Registry;
  health: () => { isHealthy: boolean; [fact: string]: unknown };
  log: ServerLog;
}): Promise<HealthServer> {
  const { health, log, port, registry } = options;
  const errors: HttpErrors = {
    log,
    make: (fault, message, details) =>
      new RollupError("CIR_HEALTH_REQUEST", message, {
        ...details,
        data: { ...details.data, status: STATUSES[fault] ?? 400 },
      }),
    statusOf: ({ data }) => (data as { status: number }).status,
  };
  const app = await createServer({ limits: LIMITS, errors, bodyLimitBytes: 1 });
  app.get("/health", (_request, reply) => {
    const facts = health();
    return reply.code(facts.isHealthy ? 200 : 503).send(facts);
  });
  serveMetrics(app, "/metrics", errors, { textOf: () => registry });
  await app.listen({ host: "127.0.0.1", port });
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
}
