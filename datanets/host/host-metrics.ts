import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

const SEARCH_BUCKETS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

export function createHostMetrics(registry = new Registry()) {
  const registers = [registry];
  return {
    registry,
    rows: new Gauge({ name: "datanet_rows", help: "Rows of all Datanets", registers }),
    rowsReceived: new Counter({
      name: "datanet_rows_received_total",
      help: "Rows taken since the start",
      registers,
    }),
    storedBytes: new Gauge({ name: "datanet_stored_bytes", help: "Bytes of all rows' files", registers }),
    records: new Counter({
      name: "datanet_records_total",
      help: "Signed records taken since the start",
      labelNames: ["kind"] as const,
      registers,
    }),
    requestsUnanswered: new Gauge({
      name: "datanet_access_requests_unanswered",
      help: "Requests for access that no owner has answered",
      registers,
    }),
    searchSeconds: new Histogram({
      name: "datanet_search_seconds",
      help: "Time of a search or filter",
      buckets: SEARCH_BUCKETS_SECONDS,
      registers,
    }),
    errors: new Counter({
      name: "datanet_errors_total",
      help: "Errors by code, answers to clients included",
      labelNames: ["code"] as const,
      registers,
    }),
  };
}

export type HostMetrics = ReturnType<typeof createHostMetrics>;

/** Node's own figures (memory, event loop). */
export function collectHostProcessMetrics({ registry }: HostMetrics): void {
  collectDefaultMetrics({ register: registry, prefix: "datanet_" });
}
