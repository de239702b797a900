import { declareMetrics } from "@openledger/foundation/http/declare-metrics";
import { Registry } from "prom-client";

/** All metrics of the dispatcher. Workers are named by the operator; there are as many as there are machines. */
export function createDispatchMetrics(registry = new Registry()) {
  const { counter, gauge } = declareMetrics(registry);
  return {
    registry,
    jobs: gauge(
      "rollup_prove_jobs",
      "Jobs of the provers' queue by state; aside = failed too often, a human has to look",
      "state",
    ),
    oldestSeconds: gauge(
      "rollup_prove_oldest_seconds",
      "How long the oldest batch waits for its proof; 0 where none does",
    ),
    workers: gauge("rollup_provers", "Provers that are connected to the queue"),
    workersWanted: gauge(
      "rollup_provers_wanted",
      "Provers that would prove what waits within the target; the signal for autoscaling",
    ),
    proofs: counter(
      "rollup_worker_proofs_total",
      "Proofs of each worker, by what the sequencer said",
      "worker",
      "result",
    ),
    proofSeconds: counter(
      "rollup_worker_proof_seconds_total",
      "Time that each worker spent on the proofs that were taken",
      "worker",
    ),
    errors: counter("rollup_errors_total", "Failures by error code", "code"),
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
