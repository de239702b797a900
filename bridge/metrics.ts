import { Counter, Gauge, type Registry } from "prom-client";
import type { BridgeErrorCode } from "./bridge-errors.ts";

/** Results of `rollup_l1_publish_total`. */
const PUBLISH_RESULTS = ["submitted", "posted", "final", "dropped", "reverted"] as const;
export type PublishResult = (typeof PUBLISH_RESULTS)[number];

/** All metrics of the bridge. Labels are closed sets. */
export function createBridgeMetrics(registry: Registry) {
  const registers = [registry];
  const metrics = {
    /** Codes of the alarms that last; each block's report to the sequencer names them. */
    raised: new Set<string>(),
    l1BlockNumber: new Gauge({
      name: "rollup_l1_block_number",
      help: "Newest L1 block that the bridge saw",
      registers,
    }),
    queueNextIndex: new Gauge({
      name: "rollup_bridge_queue_next_index",
      help: "Index of the queue entry that the sequencer gets next",
      registers,
    }),
    queueOldestSeconds: new Gauge({
      name: "rollup_bridge_queue_oldest_seconds",
      help: "How long the oldest queue entry waits for a batch, by L1's clock; 0 where none waits",
      registers,
    }),
    publishTotal: new Counter({
      name: "rollup_l1_publish_total",
      help: "Transactions with batches by what became of them",
      labelNames: ["result"] as const,
      registers,
    }),
    feeBumpTotal: new Counter({
      name: "rollup_l1_fee_bump_total",
      help: "Replacements of a transaction that was not mined in time",
      registers,
    }),
    publishGasTotal: new Counter({
      name: "rollup_l1_publish_gas_total",
      help: "Gas used by mined transactions with batches",
      registers,
    }),
    postedBatch: new Gauge({
      name: "rollup_l1_posted_batch",
      help: "Number of the newest batch on L1",
      registers,
    }),
    finalizedBatch: new Gauge({
      name: "rollup_l1_finalized_batch",
      help: "Number of the newest final batch",
      registers,
    }),
    reorganisationTotal: new Counter({
      name: "rollup_l1_reorganisation_total",
      help: "Mined transactions with batches that L1 forgot or moved",
      registers,
    }),
    errorTotal: new Counter({
      name: "rollup_errors_total",
      help: "Failures by error code",
      labelNames: ["code"] as const,
      registers,
    }),
    leaseSeconds: new Gauge({
      name: "rollup_bridge_lease_seconds",
      help: "Until the end of the lease that L1 has, whoever holds it; 0 where there is none",
      registers,
    }),
    blobCrossover: new Gauge({
      name: "rollup_l1_blob_crossover_operations",
      help: "Operations of a batch from which on a blob costs no more than calldata, at L1's prices",
      labelNames: ["kind"] as const,
      registers,
    }),
    dataCost: new Gauge({
      name: "rollup_l1_data_wei_per_operation",
      help: "What an operation's data costs on L1 in a full batch, in a blob and in calldata",
      labelNames: ["kind", "place"] as const,
      registers,
    }),
    alarm: new Gauge({
      name: "rollup_bridge_alarm",
      help: "1 while something waits for a human",
      labelNames: ["code"] as const,
      registers,
    }),
  };
  // Each begins at 0: where a count appears with 1, Prometheus sees no growth, and an alert on it would stay silent.
  for (const result of PUBLISH_RESULTS) metrics.publishTotal.inc({ result }, 0);
  return metrics;
}

export type BridgeMetrics = ReturnType<typeof createBridgeMetrics>;

export function raiseAlarm(metrics: BridgeMetrics, code: BridgeErrorCode | "OTHER"): void {
  metrics.alarm.set({ code }, 1);
  metrics.raised.add(code);
}

export function clearAlarm(metrics: BridgeMetrics, code: BridgeErrorCode | "OTHER"): void {
  metrics.alarm.set({ code }, 0);
  metrics.raised.delete(code);
}
