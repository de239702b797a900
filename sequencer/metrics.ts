/**
 * Prometheus metrics of the sequencer and of full nodes; units end their names. All parts of the process set
 * them, `/metrics` shows them (docs/how-to/operate.md).
 */
import { declareMetrics } from "@openledger/foundation/http/declare-metrics";
import { collectDefaultMetrics, Registry } from "prom-client";
import type { SequencerErrorCode } from "./sequencer-errors.ts";

/** Buckets of an acknowledgement: one execution takes milliseconds, a queue of them up to seconds. */
const ACKNOWLEDGE_BUCKETS_SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
/** Buckets of a batch's stages and of its proof. */
const STAGE_BUCKETS_SECONDS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800];

/**
 * Error codes whose counts begin at 0. If a count appeared with 1, Prometheus would see no growth, and the alerts on it
 * would stay silent.
 */
const ALERTED_CODES = [
  "SRV_STORE_FAILED",
  "SRV_STORE_CORRUPT",
  "SEQ_STORE_INCONSISTENT",
  "SRV_INTERNAL",
  "SEQ_BACKLOG_FULL",
  "SEQ_PRICE_INVALID",
] as const satisfies readonly SequencerErrorCode[];

/** Creates all metrics. Labels are closed sets. */
export function createMetrics(registry = new Registry()) {
  const { counter, gauge, histogram } = declareMetrics(registry);
  const metrics = {
    registry,
    mempool: {
      transactions: gauge("rollup_mempool_transactions", "Operations behind a nonce gap"),
      acknowledgeSeconds: histogram(
        "rollup_acknowledge_seconds",
        "From an operation's arrival to its durable acknowledgement",
        ACKNOWLEDGE_BUCKETS_SECONDS,
      ),
      operations: counter(
        "rollup_operations_total",
        "Executed operations by kind, queue entries included",
        "kind",
      ),
    },
    batches: {
      buildSeconds: histogram(
        "rollup_batch_build_seconds",
        "From a batch's first operation to its closing",
        STAGE_BUCKETS_SECONDS,
      ),
      proofSeconds: histogram(
        "rollup_proof_seconds",
        "Stages of a batch's proof as the prover reports them",
        STAGE_BUCKETS_SECONDS,
        "stage",
      ),
      proverQueueLength: gauge("rollup_prover_queue_length", "Closed batches without a proof"),
      rebuilt: counter("rollup_batches_rebuilt_total", "Batches closed again with a later timestamp"),
      publish: counter("rollup_l1_publish_total", "Reports of the bridge on batches", "result"),
      finalizedBatch: gauge("rollup_l1_finalized_batch", "Number of the last final batch"),
    },
    prover: {
      up: gauge("rollup_prover_up", "1 while a prover is there: the child process, or a worker of the queue"),
      busy: gauge("rollup_prover_busy", "1 while the child process makes a proof"),
      stageSeconds: gauge("rollup_prover_stage_elapsed_seconds", "Time in the stage of the running proof"),
      restarts: gauge("rollup_prover_restarts", "Starts of the child process after the first"),
      memoryBytes: gauge("rollup_prover_memory_bytes", "Resident memory of the child process"),
      workers: gauge("rollup_prover_workers", "Workers that are connected to the queue of proofs"),
      jobs: gauge("rollup_prover_jobs", "Jobs in the queue of proofs by state", "state"),
      failures: counter(
        "rollup_prover_failures_total",
        "Proofs of batches that failed, by error code",
        "code",
      ),
      falseProofs: counter(
        "rollup_prover_false_proofs_total",
        "Results of the queue's workers that are no proof of their job",
        "worker",
      ),
      crossChecks: counter(
        "rollup_prover_cross_checks_total",
        "Proofs that another back end made again, one a day, by whether it confirms them",
        "result",
      ),
    },
    blobs: {
      problems: counter(
        "rollup_blob_problems_total",
        "Places that gave other bytes than the hash names, and archives that could not be read or written",
        "kind",
      ),
      found: counter("rollup_blobs_found_total", "Blobs that were read, by where they came from", "place"),
    },
    data: {
      inBlob: gauge(
        "rollup_data_in_blob",
        "1 if the data of the last closed batch is in a blob, 0 if in calldata",
      ),
      choices: counter(
        "rollup_data_choices_total",
        "Closed batches by the place of their data, and the reason",
        "place",
        "reason",
      ),
    },
    fees: {
      unitFee: gauge(
        "rollup_unit_fee_open",
        "Fee of a unit of weight in the batch that is opened next, in OPEN",
      ),
      operatorResult: gauge(
        "rollup_operator_result_open",
        "Fees less L1's gas and proofs over the last 200 posted batches, in OPEN; 0 until OPEN's price is known",
      ),
    },
    errors: counter("rollup_errors_total", "Errors by code, answers to clients included", "code"),
    frozen: gauge("rollup_frozen", "1 while the rollup is frozen on L1"),
    batchMalformed: gauge("rollup_batch_malformed", "1 while L1 has a batch that breaks the ledger's rules"),
    behind: gauge("rollup_behind_l1", "1 while L1 has signed operations that the data directory does not"),
    lacksFinal: gauge("rollup_l1_lacks_final", "1 while L1 lacks a batch that was final on it"),
    l1Stalled: gauge("rollup_l1_stalled", "1 while no new block of L1 was reported for ten minutes"),
    feedClients: gauge("rollup_feed_clients", "Open connections to the feed"),
  };
  for (const code of ALERTED_CODES) metrics.errors.inc({ code }, 0);
  for (const result of ["same", "failed"]) metrics.prover.crossChecks.inc({ result }, 0);
  return metrics;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** Adds Node's own figures (memory, event loop); not for tests, which run many sequencers in one process. */
export function collectProcessMetrics(metrics: Metrics): void {
  collectDefaultMetrics({ register: metrics.registry, prefix: "rollup_" });
}
