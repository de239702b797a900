import { Counter, Gauge, Histogram, Registry } from "prom-client";

const PROOF_BUCKETS_SECONDS = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800];

/** All metrics of a prover's process. Labels are closed sets. */
export function createProverMetrics(registry = new Registry()) {
  const registers = [registry];
  const metrics = {
    registry,
    proofs: new Counter({
      name: "rollup_prover_proofs_total",
      help: "Proofs handed in, by whether there was use for them",
      labelNames: ["result"] as const,
      registers,
    }),
    crossChecks: new Counter({
      name: "rollup_prover_cross_checks_total",
      help: "Proofs that another back end made again, one a day, by whether it confirms them",
      labelNames: ["result"] as const,
      registers,
    }),
    stageSeconds: new Histogram({
      name: "rollup_prover_stage_seconds",
      help: "Stages of a proof, and the whole",
      labelNames: ["stage"] as const,
      buckets: PROOF_BUCKETS_SECONDS,
      registers,
    }),
    busy: new Gauge({ name: "rollup_prover_busy", help: "1 while a job is being proven", registers }),
    errors: new Counter({
      name: "rollup_errors_total",
      help: "Failures by error code",
      labelNames: ["code"] as const,
      registers,
    }),
  };
  // A prover that never made a proof has made 0: without the count, the alert on its failures would stay silent.
  for (const result of ["taken", "useless"]) metrics.proofs.inc({ result }, 0);
  for (const result of ["same", "failed"]) metrics.crossChecks.inc({ result }, 0);
  return metrics;
}

export type ProverMetrics = ReturnType<typeof createProverMetrics>;
