/**
 * Metrics of the answer server: serve-models.ts makes those that each has, open-language.ts those of OpenAI's routes, where the
 * completion service counts requests and tokens.
 */
import type { Database } from "@openledger/foundation/database/database";
import { watchDatabase } from "@openledger/foundation/database/database-gauge";
import { declareMetrics } from "@openledger/foundation/http/declare-metrics";
import { Gauge, type Registry } from "prom-client";
import type { AdapterPool } from "../engine/adapters/adapter-pool.ts";
import type { ServingEngine } from "./serving-engine.ts";

const SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

/** Metrics of every answer server. */
export function createServerMetrics(registry: Registry, database: Pick<Database, "isReachable">) {
  watchDatabase(registry, "serving", database);
  const { counter } = declareMetrics(registry);
  return { errors: counter("serving_errors_total", "Errors by code, answers to clients included", "code") };
}

/** Metrics of a server with a base. Labels are closed sets: never a name of an adapter or a key. */
export function createServingMetrics(registry: Registry) {
  const { counter, histogram } = declareMetrics(registry);
  return {
    requests: counter(
      "serving_requests_total",
      "Requests by how they ended: done, cancelled, or a code of docs/reference/errors.md",
      "result",
    ),
    tokens: counter("serving_tokens_total", "Tokens of prompts and of answers", "kind"),
    firstToken: histogram(
      "serving_first_token_seconds",
      "From the question to its first token, by whether the adapter was in memory",
      SECONDS,
      "adapter",
    ),
    step: histogram(
      "serving_step_seconds",
      "Time of a step of a batch",
      [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
    ),
  };
}

export type ServingMetrics = ReturnType<typeof createServingMetrics>;

export function watchEngine(registry: Registry, engine: ServingEngine, pool: AdapterPool): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge("serving_requests_queued", "Requests that wait for their turn", () => engine.queuedCount);
  gauge(
    "serving_requests_active",
    "Requests in a batch, or whose adapter is being read",
    () => engine.activeCount,
  );
  gauge("serving_kv_pages_used", "Pages of keys and values in use", () => engine.usedPages);
  gauge("serving_adapters_resident", "Adapters in memory", () => pool.residentCount);
  gauge(
    "serving_adapter_hits",
    "Requests since the start whose adapter was in memory",
    () => pool.counts.hits,
  );
  gauge("serving_adapter_loads", "Adapters read from disk since the start", () => pool.counts.loads);
  gauge("serving_adapter_evictions", "Adapters that made room since the start", () => pool.counts.evictions);
}
