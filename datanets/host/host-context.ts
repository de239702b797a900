/** Modules of a running host that its routes share: settings, database, ledger, quotas, metrics. host-process.ts makes it. */
import type { Logger } from "@openledger/foundation/logger";
import type { HostStore } from "../store/host-store.ts";
import type { KeyNotices } from "../store/key-notices.ts";
import type { HostLedger } from "../store/ledger-view.ts";
import type { Quotas } from "../store/quotas.ts";
import type { RecordJournal } from "../store/record-journal.ts";
import type { HostConfig } from "./config.ts";
import type { HostMetrics } from "./host-metrics.ts";
import type { RequestGuard } from "./request-guard.ts";
import type { RequestSessions } from "./request-sessions.ts";

export interface HostContext {
  readonly config: HostConfig;
  readonly domain: bigint;
  readonly chainId: number;
  readonly rollupAddress: string;
  readonly sessions: RequestSessions;
  readonly store: HostStore;
  readonly ledger: HostLedger;
  readonly keyNotices: KeyNotices;
  readonly guard: RequestGuard;
  readonly quotas: Quotas;
  readonly journal: RecordJournal;
  readonly metrics: HostMetrics;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** The address that clients sign requests for. */
  origin(): string;
  /** True while the host answers and its database does. */
  isHealthy(): Promise<boolean>;
}
