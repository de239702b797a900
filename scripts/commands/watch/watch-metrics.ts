/** Metrics of a watcher for Prometheus; all are counts of models, settlements or records. */
import { declareMetrics } from "@openledger/foundation/http/declare-metrics";
import type { Registry } from "prom-client";

export function createWatchMetrics(registry: Registry) {
  const { counter, gauge } = declareMetrics(registry);
  return {
    recomputed: counter(
      "watch_recomputed_total",
      "Models and settlements recomputed since the start",
      "result",
    ),
    waiting: gauge("watch_waiting", "Models and settlements that are to be recomputed"),
    differences: gauge("watch_differences", "Models and settlements that differ from what was recomputed"),
    unavailable: gauge("watch_unavailable", "Models and settlements whose files cannot be had"),
    unsent: gauge("watch_records_unsent", "Signed records that a Datanet host does not have yet"),
  };
}

export type WatchMetrics = ReturnType<typeof createWatchMetrics>;
