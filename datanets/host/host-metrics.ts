/** Prometheus metrics of the Datanet host, served at /metrics; units end their names. */
import type { Database } from "@openledger/foundation/database/database";
import { watchDatabase } from "@openledger/foundation/database/database-gauge";
import { declareMetrics } from "@openledger/foundation/http/declare-metrics";
import { collectDefaultMetrics, Registry } from "prom-client";

const SEARCH_BUCKETS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

export function createHostMetrics(database: Pick<Database, "isReachable">) {
  const registry = new Registry();
  watchDatabase(registry, "datanet", database);
  const { counter, gauge, histogram } = declareMetrics(registry);
  return {
    registry,
    rows: gauge("datanet_rows", "Rows of all Datanets"),
    rowsUndescribed: gauge("datanet_rows_undescribed", "Rows that searches do not find yet"),
    rowsReceived: counter("datanet_rows_received_total", "Rows taken since the start"),
    storedBytes: gauge("datanet_stored_bytes", "Bytes of all rows and lists"),
    records: counter("datanet_records_total", "Signed records taken since the start", "kind"),
    requestsUnanswered: gauge(
      "datanet_access_requests_unanswered",
      "Requests for access that no owner has answered",
    ),
    searchSeconds: histogram("datanet_search_seconds", "Time of a search or filter", SEARCH_BUCKETS_SECONDS),
    errors: counter("datanet_errors_total", "Errors by code, answers to clients included", "code"),
  };
}

export type HostMetrics = ReturnType<typeof createHostMetrics>;

/** Node's own figures (memory, event loop). */
export function collectHostProcessMetrics({ registry }: HostMetrics): void {
  collectDefaultMetrics({ register: registry, prefix: "datanet_" });
}
