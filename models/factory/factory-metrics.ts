/** Prometheus metrics of the factory's process: jobs, short computations, errors. Served at /metrics. */
import type { Database } from "@openledger/foundation/database/database";
import { watchDatabase } from "@openledger/foundation/database/database-gauge";
import { declareMetrics } from "@openledger/foundation/http/declare-metrics";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { jobStateSchema } from "./factory-api.ts";

interface WhatRuns {
  /** Number of jobs by their state; null while the database does not answer: the gauge stays as it was. */
  readonly jobs: () => Promise<ReadonlyMap<string, number> | null>;
  /** Jobs that workers could run at a time; null while the database does not answer. */
  readonly places: () => Promise<number | null>;
  readonly computations: () => { readonly running: number; readonly waiting: number };
  readonly database: Pick<Database, "isReachable">;
}

/** All metrics of the factory. Labels are closed sets: never a name, an account or a job. */
export function createFactoryMetrics({ computations, database, jobs, places }: WhatRuns) {
  const registry = new Registry();
  watchDatabase(registry, "factory", database);
  const registers = [registry];
  new Gauge({
    name: "factory_jobs",
    help: "Jobs by their state",
    labelNames: ["state"] as const,
    registers,
    async collect() {
      const counts = await jobs();
      if (counts === null) return;
      for (const state of jobStateSchema.options) this.set({ state }, counts.get(state) ?? 0);
    },
  });
  new Gauge({
    name: "factory_worker_places",
    help: "Jobs that the workers of the factory can run at a time",
    registers,
    async collect() {
      const count = await places();
      if (count !== null) this.set(count);
    },
  });
  new Gauge({
    name: "factory_computations",
    help: "Short computations (comparisons, estimates, exports) of this server that run or wait",
    labelNames: ["state"] as const,
    registers,
    collect() {
      for (const [state, count] of Object.entries(computations())) this.set({ state }, count);
    },
  });
  return {
    registry,
    errors: declareMetrics(registry).counter(
      "factory_errors_total",
      "Errors by code, answers to clients included",
      "code",
    ),
  };
}

export type FactoryMetrics = ReturnType<typeof createFactoryMetrics>;

/** Node's own figures (memory, event loop): once for a process. */
export function collectFactoryProcessMetrics({ registry }: FactoryMetrics): void {
  collectDefaultMetrics({ register: registry, prefix: "factory_" });
}
