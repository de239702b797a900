/**
 * Options, modules and reports of the pipeline of batches (batch-pipeline.ts); times in milliseconds, amounts
 * in wei.
 */
import type { DeployedCircuit } from "@openledger/circuits/registry/deployment";
import type { ClosedTableBatch } from "@openledger/circuits/table/table-builder";
import type { Logger } from "@openledger/foundation/logger";
import type { CircuitInputs } from "@openledger/prover/proving/prover";
import type { UnitFeeRules } from "../fees/unit-fee.ts";
import type { Metrics } from "../metrics.ts";
import type { LedgerLog } from "../store/ledger-log.ts";
import type { DataChoice } from "./data-choice.ts";
import type { FeedPublisher } from "./feed.ts";

export interface BatchPipelineOptions extends UnitFeeRules {
  readonly feeAccountId: number;
  readonly closeIntervalMs: number;
  /** Estimated time of a proof in milliseconds, until the first proof was made. */
  readonly expectedProveMs?: number;
  /** Maximum closed batches that L1 does not have; beyond it, signed operations are refused. */
  readonly maxUnpostedBatches: number;
  /** A batch that is this close to the end of L1's window is rebuilt instead of submitted. */
  readonly staleMarginSeconds: number;
}

export interface BatchPipelineModules {
  readonly log: LedgerLog;
  /** Chooses where a closed batch's data is. */
  readonly data: DataChoice;
  /** The input signals of a batch's circuit at challenge z. */
  readonly circuitInputs: (closed: ClosedTableBatch, z: bigint) => CircuitInputs;
  /** All circuits of the deployment, by their index on L1. */
  readonly circuits: readonly DeployedCircuit[];
  readonly feed: FeedPublisher;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Wei of OPEN for an ether, or null where the price is unknown. */
  readonly openPerEther: () => bigint | null;
  /** Called when a batch was closed, or closed anew: it wants a proof. */
  readonly onClosed?: () => void;
  /** Called when something is broken that only a restart, or a human, can mend. */
  readonly onFatal: (error: unknown) => void;
}

export interface L1Head {
  readonly blockNumber: number;
  readonly timestamp: number;
}
