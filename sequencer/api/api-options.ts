/** Options and modules of the HTTP application, of a sequencer or of a full node, and its body limits in bytes. */
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
 * Body limit for reports of foreign batches, in bytes: what is processed within 30 seconds. Attack: every wide slot
 * of a batch takes a settlement of eight shards that a stranger pre-verified before. Each has 43 KB here, and no
 * transaction bounds their sum. The limit holds 39 of them.
 */
export const MAX_FOREIGN_BODY_BYTES = 30 * 64 * 1024;

/** Fields of a deployment that /v1/info returns. */
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
  /** Absent: the operator's routes are not served. */
  readonly operatorToken?: Secret<string>;
  /** Token of the operator's own servers (hosts, answer servers, factories). Absent: they are limited as anybody. */
  readonly serverToken?: Secret<string> | undefined;
  /** Absent: nothing is served at `/`. */
  readonly pages?: ServedPages | undefined;
}

/** Ledger host of the public routes: the sequencer, or a full node that follows one. */
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
  /** Admission mode; absent for a full node, which takes no operations. */
  readonly mode?: Sequencer["mode"] | undefined;
  /** Absent where the operator has no processes of its own. */
  readonly news?: Pick<Sequencer["news"], "view"> | undefined;
  readonly settlements: Pick<SettlementService, "settlement" | "settlementsOf" | "preVerifiedSettlements">;
  /** null where none was signed for the entry's place. */
  preconfirmationOf(entry: OperationEntry): Promise<Preconfirmation | null>;
  /** Further fields of /health, beside status and isL1HeadKnown. */
  readonly healthFacts?: object;
}

export interface ApiModules {
  readonly sequencer: LedgerHost;
  /** Sequencer whose own processes are served; null for a full node, which has none. */
  readonly operator: Sequencer | null;
  readonly feed: Feed;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: () => number;
  /** Facts about the prover in /health; absent where nobody makes proofs. */
  readonly proverFacts?: () => object;
  /** Further routes; they need no operator's token. */
  readonly routes?: (app: FastifyInstance) => void;
}
