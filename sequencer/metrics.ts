import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { SequencerErrorCode } from "./sequencer-errors.ts";

/** Buckets of an acknowledgement: one execution takes milliseconds, a queue of them up to seconds. */
const ACKNOWLEDGE_BUCKETS_SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const STAGE_BUCKETS_SECONDS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800];

/** Each begins at 0: where a count appears with 1, Prometheus sees no growth, and the alerts on it would stay silent. */
const ALERTED_CODES = [
  "SRV_STORE_FAILED",
  "SRV_STORE_CORRUPT",
  "SEQ_STORE_INCONSISTENT",
  "SRV_INTERNAL",
  "SEQ_BACKLOG_FULL",
  "SEQ_PRICE_INVALID",
] as const satisfies readonly SequencerErrorCode[];

export function createMetrics(registry = new Registry()) {
  const registers = [registry];
  const metrics = {
    registry,
    mempool: {
      transactions: new Gauge({
        name: "rollup_mempool_transactions",
        help: "Operations behind a nonce gap",
        registers,
      }),
      acknowledgeSeconds: new Histogram({
        name: "rollup_acknowledge_seconds",
        help: "From an operation's arrival to its durable acknowledgement",
        buckets: ACKNOWLEDGE_BUCKETS_SECONDS,
        registers,
      }),
      operations: new Counter({
        name: "rollup_operations_total",
        help: "Executed operations by kind, queue entries included",
        labelNames: ["kind"] as const,
        registers,
      }),
    },
    batches: {
      buildSeconds: new Histogram({
        name: "rollup_batch_build_seconds",
        help: "From a batch's first operation to its closing",
        buckets: STAGE_BUCKETS_SECONDS,
        registers,
      }),
      proofSeconds: new Histogram({
        name: "rollup_proof_seconds",
        help: "Stages of a batch's proof as the prover reports them",
        labelNames: ["stage"] as const,
        buckets: STAGE_BUCKETS_SECONDS,
        registers,
      }),
      proverQueueLength: new Gauge({
        name: "rollup_prover_queue_length",
        help: "Closed batches without a proof",
        registers,
      }),
      rebuilt: new Counter({
        name: "rollup_batches_rebuilt_total",
        help: "Batches closed anew with a later timestamp",
        registers,
      }),
      publish: new Counter({
        name: "rollup_l1_publish_total",
        help: "Reports of the bridge on batches",
        labelNames: ["result"] as const,
        registers,
      }),
      finalizedBatch: new Gauge({
        name: "rollup_l1_finalized_batch",
        help: "Number of the last final batch",
        registers,
      }),
    },
    blobs: {
      kept: new Gauge({
        name: "rollup_blobs_kept",
        help: "Blobs in the archive",
        registers,
      }),
      missing: new Gauge({
        name: "rollup_blobs_missing",
        help: "Batches on L1 whose blob is not in the archive",
        registers,
      }),
      oldestMissing: new Gauge({
        name: "rollup_blob_oldest_missing_timestamp_seconds",
        help: "Since when the oldest of them is on L1, in seconds since 1970; 0 where none is missing",
        registers,
      }),
      problems: new Counter({
        name: "rollup_blob_problems_total",
        help: "Places that gave other bytes than the hash names, and archives that could not be read or written",
        labelNames: ["kind"] as const,
        registers,
      }),
      found: new Counter({
        name: "rollup_blobs_found_total",
        help: "Blobs that were read, by where they came from",
        labelNames: ["place"] as const,
        registers,
      }),
    },
    data: {
      inBlob: new Gauge({
        name: "rollup_data_in_blob",
        help: "1 where the data of the batch that was closed last stands in a blob, 0 where it is in calldata",
        registers,
      }),
      choices: new Counter({
        name: "rollup_data_choices_total",
        help: "Closed batches by where their data stands, and why",
        labelNames: ["place", "reason"] as const,
        registers,
      }),
    },
    fees: {
      unitFee: new Gauge({
        name: "rollup_unit_fee_open",
        help: "Fee of a unit of weight in the batch that is opened next, in OPEN",
        registers,
      }),
      operatorResult: new Gauge({
        name: "rollup_operator_result_open",
        help: "Fees less L1's gas and proofs over the last 200 posted batches, in OPEN; 0 until OPEN's price is known",
        registers,
      }),
    },
    errors: new Counter({
      name: "rollup_errors_total",
      help: "Errors by code, answers to clients included",
      labelNames: ["code"] as const,
      registers,
    }),
    failover: {
      leaseSeconds: new Gauge({
        name: "rollup_lease_seconds",
        help: "How long the sequencer may still acknowledge; 0 where it may not, infinite where no lease is required",
        registers,
      }),
      leaseLost: new Gauge({
        name: "rollup_lease_lost",
        help: "1 once another machine has taken the lease",
        registers,
      }),
      replicaSilentSeconds: new Gauge({
        name: "rollup_replica_silent_seconds",
        help: "Since the standby was heard last; 0 where there is none",
        registers,
      }),
      replicaLag: new Gauge({
        name: "rollup_replica_lag_operations",
        help: "Executed operations that the standby has not confirmed; 0 where there is none",
        registers,
      }),
    },
    frozen: new Gauge({
      name: "rollup_frozen",
      help: "1 while the rollup is frozen on L1",
      registers,
    }),
    batchMalformed: new Gauge({
      name: "rollup_batch_malformed",
      help: "1 while L1 has a batch that breaks the ledger's rules",
      registers,
    }),
    behind: new Gauge({
      name: "rollup_behind_l1",
      help: "1 while L1 has signed operations that the data directory does not",
      registers,
    }),
    feedClients: new Gauge({ name: "rollup_feed_clients", help: "Open connections to the feed", registers }),
  };
  for (const code of ALERTED_CODES) metrics.errors.inc({ code }, 0);
  return metrics;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** Node's own figures (memory, event loop); not for tests, which run many sequencers in one process. */
export function collectProcessMetrics(metrics: Metrics): void {
  collectDefaultMetrics({ register: metrics.registry, prefix: "rollup_" });
}
