/** Types of a watcher's settings and modules (`openledger watch`): watch-process.ts makes them, watcher.ts works with them. */
import type { LeafState } from "@openledger/circuits/ledger/leaf";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { Logger } from "@openledger/foundation/logger";
import type { DayBudget } from "./day-budget.ts";
import type { Finding, Recomputation } from "./recomputation.ts";
import type { RecomputeOptions } from "./recompute-thread.ts";
import type { WatchMetrics } from "./watch-metrics.ts";
import type { WatchTasks } from "./watch-tasks.ts";

export interface WatcherOptions {
  /** Datanets whose models are watched; null: all. */
  readonly datanetIds: ReadonlySet<number> | null;
  /** Hosts that get the signed records of the Datanets that they have. */
  readonly hosts: readonly string[];
  /** True computes labels without records that the present key of their leaf did not sign; false: their task fails. */
  readonly withoutUnsigned: boolean;
  /** Answer servers and factories. */
  readonly servers: readonly string[];
  /** Folder or URL of language models' base; null: as their servers name it. */
  readonly base: string | null;
  /** Folder for rows of models that are published without them. */
  readonly rowsFolder: string;
}

export interface WatcherModules {
  readonly tasks: WatchTasks;
  /** Aborted when the watcher stops. */
  readonly signal: AbortSignal;
  readonly budget: DayBudget;
  readonly metrics: WatchMetrics;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** Reads the watcher's own full node. */
  readonly reader: LedgerClient;
  /** Lists earlier versions of Datanets: the feed, since L1 alone shows no list of operations. */
  readonly history: LedgerClient;
  /** The ledger's leaves with more than an account, as the full node has them. */
  readonly leaves: () => Iterable<readonly [number, LeafState]>;
  /** Runs a recomputation; null if it took longer. @throws an Error if its thread died; what aborted the signal */
  readonly run: (task: Recomputation, options: RecomputeOptions) => Promise<Finding | null>;
  /** Signs for the watcher's leaf. @throws a typed error while the account has none */
  readonly openSigner: () => Promise<LedgerClient>;
  /** Addresses of models that this machine knows, by their ids. */
  readonly knownServers: () => Readonly<Record<string, string>>;
}
