import { Counter, Gauge, Registry } from "prom-client";

/** All metrics of the dispatcher. Workers are named by the operator; there are as many as he has machines. */
export function createDispatchMetrics(registry = new Registry()) {
  const registers = [registry];
  return {
    registry,
    jobs: new Gauge({
      name: "rollup_prove_jobs",
      help: "Jobs of the provers' queue by state; aside = failed too often, a human has to look",
      labelNames: ["state"] as const,
      registers,
    }),
    oldestSeconds: new Gauge({
      name: "rollup_prove_oldest_seconds",
      help: "How long the oldest batch waits for its proof; 0 where none does",
      registers,
    }),
    workers: new Gauge({
      name: "rollup_provers",
      help: "Provers that are connected to the queue",
      registers,
    }),
    workersWanted: new Gauge({
      name: "rollup_provers_wanted",
      help: "Provers that would prove what waits within the target; the signal for autoscaling",
      registers,
    }),
    proofs: new Counter({
      name: "rollup_worker_proofs_total",
      help: "Proofs of each worker, by what the sequencer said",
      labelNames: ["worker", "result"] as const,
      registers,
    }),
    proofSeconds: new Counter({
      name: "rollup_worker_proof_seconds_total",
      help: "Time that each worker spent on the proofs that were taken",
      labelNames: ["worker"] as const,
      registers,
    }),
    errors: new Counter({
      name: "rollup_errors_total",
      help: "Failures by error code",
      labelNames: ["code"] as const,
      registers,
    }),
  };
}

const PROOF_RESULTS = ["taken", "useless", "invalid"] as const;

/** A worker's other results are 0 from then on: Prometheus sees no growth where a count appears with 1. */
export function countWorkerProof(
  { proofs }: DispatchMetrics,
  worker: string,
  result: (typeof PROOF_RESULTS)[number],
): void {
  for (const one of PROOF_RESULTS) proofs.inc({ worker, result: one }, one === result ? 1 : 0);
}

export type DispatchMetrics = ReturnType<typeof createDispatchMetrics>;
