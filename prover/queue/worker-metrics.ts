/** Prometheus metrics of a worker of the queue of proofs; units end their names. queue-worker.ts sets them. */
import { declareMetrics } from "@openledger/foundation/http/declare-metrics";
import { Registry } from "prom-client";

/** Upper bounds of the histogram: a proof takes from half a second to half an hour, by circuit and machine. */
const PROOF_BUCKETS_SECONDS = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800];

/** Metrics of a worker of the queue. Labels are closed sets. */
export function createWorkerMetrics(registry = new Registry()) {
  const { counter, gauge, histogram } = declareMetrics(registry);
  const metrics = {
    registry,
    proofs: counter("rollup_prover_proofs_total", "Proofs made"),
    crossChecks: counter(
      "rollup_prover_cross_checks_total",
      "Proofs that another back end made again, one a day, by whether it confirms them",
      "result",
    ),
    stageSeconds: histogram(
      "rollup_prover_stage_seconds",
      "Stages of a proof, and the whole",
      PROOF_BUCKETS_SECONDS,
      "stage",
    ),
    busy: gauge("rollup_prover_busy", "1 while a job is being proven"),
    errors: counter("rollup_errors_total", "Failures by error code", "code"),
  };
  for (const result of ["same", "failed"]) metrics.crossChecks.inc({ result }, 0);
  return metrics;
}

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;
