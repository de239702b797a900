/** Prometheus metrics of the factory's process: jobs, short computations, errors. Served at /metrics. */
import { declareMetrics } from "@openledger/foundation/http/declare-metrics";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { type FactoryJob, jobStateSchema } from "./factory-api.ts";

interface WhatRuns {
  readonly jobs: () => readonly { readonly view: Pick<FactoryJob, "state"> }[];
  readonly computations: () => { readonly running: number; readonly waiting: number };
}

/** All metrics of the factory. Labels are closed sets: never a name, an account or a job. */
export function createFactoryMetrics({ computations, jobs }: WhatRuns) {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({
    name: "factory_jobs",
    help: "Jobs by their state",
    labelNames: ["state"] as const,
    registers,
    collect() {
      const counts = new Map(jobStateSchema.options.map((state) => [state, 0]));
      for (const { view } of jobs()) counts.set(view.state, counts.get(view.state)! + 1);
      for (const [state, count] of counts) this.set({ state }, count);
    },
  });
  new Gauge({
    name: "factory_computations",
    help: "Short computations (comparisons, estimates, exports, activations) that run or wait",
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
