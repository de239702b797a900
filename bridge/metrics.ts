/**
 * Prometheus metrics and alarms of the bridge; units end their names. operator/ sets them, `/metrics` shows
 * them, and each report of a block names the raised alarms to the sequencer.
 */
import { declareMetrics } from "@openledger/foundation/http/declare-metrics";
import type { Registry } from "prom-client";
import type { BridgeErrorCode } from "./bridge-errors.ts";

/** Results of `rollup_l1_publish_total`. */
const PUBLISH_RESULTS = ["submitted", "posted", "final", "dropped", "reverted"] as const;
export type PublishResult = (typeof PUBLISH_RESULTS)[number];

/** All metrics of the bridge. Labels are closed sets. */
export function createBridgeMetrics(registry: Registry) {
  const { counter, gauge } = declareMetrics(registry);
  const metrics = {
    /** Codes of the alarms that last; each block's report to the sequencer names them. */
    raised: new Set<string>(),
    l1BlockNumber: gauge("rollup_l1_block_number", "Newest L1 block that the bridge saw"),
    queueNextIndex: gauge(
      "rollup_bridge_queue_next_index",
      "Index of the queue entry that the sequencer gets next",
    ),
    queueOldestSeconds: gauge(
      "rollup_bridge_queue_oldest_seconds",
      "How long the oldest queue entry waits for a batch, by L1's clock; 0 where none waits",
    ),
    publishTotal: counter(
      "rollup_l1_publish_total",
      "Transactions with batches by what became of them",
      "result",
    ),
    feeBumpTotal: counter(
      "rollup_l1_fee_bump_total",
      "Replacements of a transaction that was not mined in time",
    ),
    publishGasTotal: counter("rollup_l1_publish_gas_total", "Gas used by mined transactions with batches"),
    postedBatch: gauge("rollup_l1_posted_batch", "Number of the newest batch on L1"),
    finalizedBatch: gauge("rollup_l1_finalized_batch", "Number of the newest final batch"),
    reorganisationTotal: counter(
      "rollup_l1_reorganisation_total",
      "Mined transactions with batches that L1 forgot or moved",
    ),
    errorTotal: counter("rollup_errors_total", "Failures by error code", "code"),
    blobCrossover: gauge(
      "rollup_l1_blob_crossover_operations",
      "Operations of a batch from which on a blob costs no more than calldata, at L1's prices",
      "kind",
    ),
    dataCost: gauge(
      "rollup_l1_data_wei_per_operation",
      "What an operation's data costs on L1 in a full batch, in a blob and in calldata",
      "kind",
      "place",
    ),
    alarm: gauge("rollup_bridge_alarm", "1 while something waits for a human", "code"),
  };
  // Each begins at 0: where a count appears with 1, Prometheus sees no growth, and an alert on it would stay silent.
  for (const result of PUBLISH_RESULTS) metrics.publishTotal.inc({ result }, 0);
  return metrics;
}

export type BridgeMetrics = ReturnType<typeof createBridgeMetrics>;

/** Raises an alarm, which stays until `clearAlarm`: for what waits for a human. */
export function raiseAlarm(metrics: BridgeMetrics, code: BridgeErrorCode | "OTHER"): void {
  metrics.alarm.set({ code }, 1);
  metrics.raised.add(code);
}

export function clearAlarm(metrics: BridgeMetrics, code: BridgeErrorCode | "OTHER"): void {
  metrics.alarm.set({ code }, 0);
  metrics.raised.delete(code);
}
