/** What the HTTP application is given. */

import type { DeployedCircuit, Deployment } from "@openledger/circuits/registry/deployment";
import type { Preconfirmation } from "@openledger/circuits/wire/sequencer-preconfirmation";
import type { ServerLimits } from "@openledger/foundation/http/server-settings";
import type { Logger } from "@openledger/foundation/logger";
import type { Secret } from "@openledger/foundation/secret";
import type { FastifyInstance } from "fastify";
import type { BatchPipeline } from "../batches/batch-pipeline.ts";
import type { Feed } from "../batches/feed.ts";
import type { SettlementService } from "../batches/settling/settlement-service.ts";
import type { Mempool } from "../intake/mempool.ts";
import type { Metrics } from "../metrics.ts";
import type { Sequencer, SequencerOptions } from "../sequencer.ts";
import type { LedgerLog } from "../store/ledger-log.ts";
import type { OperationEntry } from "../store/log-entry.ts";
import type { ServedPages } from "./pages.ts";

/** A signed operation is about 2 KB. */
export const MAX_BODY_BYTES = 64 * 1024;
/** A settlement of eight shards has nine entries at most, each with 11 KB. */
export const MAX_SETTLEMENT_BODY_BYTES = 128 * 1024;
/** The operator's own processes send queue entries by the hundred. */
export const MAX_OPERATOR_BODY_BYTES = 1024 * 1024;
/**
 * What 30 seconds are enough for. Attack: each of a batch's wide slots takes what a stranger pre-verified before, in eight shards.
 * That is 43 KB here, and no transaction bounds them together: so much holds 39 of them.
 */
export const MAX_FOREIGN_BODY_BYTES = 30 * 64 * 1024;

/** Of a deployment, what /v1/info tells. */
export type ServedDeployment = Pick<
  Deployment,
  "chainId" | "rollupAddress" | "tokenAddress" | "domain" | "idFeeWei"
> & {
  readonly circuits: readonly Pick<
    DeployedCircuit,
    "name" | "sort" | "size0" | "size1" | "circuitId" | "isDevelopment"
  >[];
};

export interface ApiOptions extends ServerLimits {
  readonly deployment: ServedDeployment;
  readonly preconfirmationSigner: string;
  readonly l1Confirmations: number;
  /** Absent where there are no routes of the operator's. */
  readonly operatorToken?: Secret<string>;
  /** Absent: there is nothing at `/`. */
  readonly pages?: ServedPages | undefined;
}

/** What the public routes ask of the one who holds the ledger: the sequencer, or a full node of one. */
export interface LedgerHost
  extends Pick<Sequencer, "submit" | "submitSettlement" | "operation" | "operationsOf" | "isHealthy"> {
  readonly options: Pick<
    SequencerOptions,
    "feeAccountId" | "pendingPerLeaf" | "pendingTotal" | "pendingTtlMs" | "closeIntervalMs"
  >;
  readonly pipeline: Pick<
    BatchPipeline,
    | "head"
    | "registry"
    | "estimates"
    | "feePerUnitWei"
    | "l1Head"
    | "queueSeenIndex"
    | "openedAtMs"
    | "batch"
    | "idle"
  > &
    Partial<Pick<BatchPipeline, "data">>;
  readonly log: LedgerLog;
  readonly mempool: Pick<Mempool, "size" | "nextNonce">;
  /** What it takes at all; a full node takes nothing. */
  readonly mode?: Sequencer["mode"] | undefined;
  /** Absent where there are no processes of the operator's. */
  readonly news?: Pick<Sequencer["news"], "view"> | undefined;
  readonly settlements: Pick<SettlementService, "settlement" | "settlementsOf" | "preVerifiedSettlements">;
  preconfirmationOf(entry: OperationEntry): Promise<Preconfirmation>;
  /** Beside status and isL1HeadKnown in /health. */
  readonly healthFacts?: object;
}

export interface ApiModules {
  readonly sequencer: LedgerHost;
  /** Whose own processes are served; null for a full node, which has none. */
  readonly operator: Sequencer | null;
  readonly feed: Feed;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: () => number;
  /** What /health tells of the prover; absent where nobody makes proofs. */
  readonly proverFacts?: () => object;
  /** Further routes; they need no operator's token. */
  readonly routes?: (app: FastifyInstance) => void;
}
