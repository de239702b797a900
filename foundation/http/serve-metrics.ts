/** Route GET /metrics, which every server of the project has. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { processErrors } from "../error-table.ts";
import { isLocal } from "./local-requests.ts";

/** Prometheus' text. */
interface MetricsText {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/**
 * Serves figures of the operator's machines and money, for this machine alone: Prometheus runs beside it.
 * They are on the API's port, so a request through a proxy, or from elsewhere, gets the answer that there is
 * no such route.
 */
export function serveMetrics(
  app: FastifyInstance,
  path: string,
  modules: {
    readonly textOf: (request: FastifyRequest) => MetricsText;
    /** Tells whether a request from elsewhere may read them too. Default: none may. */
    readonly isOperator?: (request: FastifyRequest) => boolean;
  },
): void {
  const options = {
    config: { rateLimit: { allowList: (request: FastifyRequest) => isLocal(request.raw) } },
    schema: { hide: true } as object,
  };
  app.get(path, options, async (request, reply) => {
    if (!isLocal(request.raw) && modules.isOperator?.(request) !== true)
      throw processErrors.raise("SRV_UNKNOWN_ROUTE", "metrics are served on this machine alone");
    const text = modules.textOf(request);
    reply.type(text.contentType).header("cache-control", "no-store");
    return reply.serializer((written: string) => written).send(await text.metrics());
  });
}
