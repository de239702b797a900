/**
 * Checks of a Datanet's rows by its host: starts a check, lists what it found, lists notices to contributors. Reviewers' and
 * contributors' pages and `openledger datanet` call it.
 */
import type { FindingKind } from "@openledger/datanets/cleaning/finding";
import { RollupError } from "@openledger/foundation/rollup-error";
import { askHost, type HostAccess, type HostErrorCode, type HostedDatanetLocation } from "./host-request.ts";
import {
  type CheckState,
  checkStateSchema,
  type FindingsPage,
  findingsSchema,
  type NoticesPage,
  noticesSchema,
} from "./host-schemas.ts";

/** Interval between two looks at a running check. */
const POLL_MS = 500;

export interface CheckFindingsParameters extends HostedDatanetLocation {
  /** Leaf that signs: the Datanet, or one of its reviewers; default: the client's. */
  from?: number;
  onProgress?: (step: string, done: number, total: number) => void;
}
export type CheckFindingsErrorCode =
  | "DNT_CHECK_RUNNING"
  | "DNT_CHECK_FAILED"
  | "DNT_CHECK_NOT_ALLOWED"
  | "DNT_NOT_HOSTED"
  | HostErrorCode;

/**
 * Makes a host check all rows of a datanet, as the datanet or one of its reviewers: copies, near-duplicates, contradicted labels,
 * broken rows. They are compared with those of public datanets of the host, and of datanets of the signer's key. Resolves when
 * the check is done; at once if no row has come since the last one.
 * @throws DNT_CHECK_NOT_ALLOWED, DNT_CHECK_RUNNING while it looks at another datanet, DNT_CHECK_FAILED, DNT_ACCESS_NOT_GRANTED
 * @example
 * ```ts
 * await checkFindings(client, { hostUrl, datanetId: 10 });
 * const { counts } = await listFindings(client, { hostUrl, datanetId: 10 });
 * ```
 */
export async function checkFindings(
  client: HostAccess,
  { datanetId, from, hostUrl, onProgress }: CheckFindingsParameters,
): Promise<CheckState> {
  const path = `/v1/datanets/${datanetId}/findings`;
  const start = { method: "POST" as const, path: `${path}/check`, isSigned: true, from };
  let state = await askHost(client, hostUrl, start, checkStateSchema);
  while (state.running !== null) {
    onProgress?.(state.running.step, state.running.done, state.running.total);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    state = (
      await listFindings(client, { hostUrl, datanetId, limit: 1, ...(from === undefined ? {} : { from }) })
    ).check;
  }
  if (state.failure !== null) throw new RollupError("DNT_CHECK_FAILED", state.failure, { isRetryable: true });
  return state;
}

export interface ListFindingsParameters extends HostedDatanetLocation {
  kind?: FindingKind;
  /** State of the findings. open: nobody has decided; byRule: the ledger's order decides. */
  state?: "open" | "leftOut" | "kept" | "byRule";
  contributorId?: number;
  /** Position of the first finding. `limit`: number of findings, 1,000 at most. */
  first?: number;
  limit?: number;
  /** Leaf that signs, where the Datanet is permissioned; default: the client's. */
  from?: number;
}
export type ListFindingsErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * Lists the findings of a host's last check of a datanet's rows, with the reviewers' decisions.
 * @throws DNT_NOT_HOSTED, DNT_ACCESS_NOT_GRANTED
 * @example
 * ```ts
 * const { findings } = await listFindings(client, { hostUrl, datanetId: 10, state: "open" });
 * ```
 */
export async function listFindings(
  client: HostAccess,
  { contributorId, datanetId, first = 0, from, hostUrl, kind, limit = 1_000, state }: ListFindingsParameters,
): Promise<FindingsPage> {
  const query = new URLSearchParams({ from: String(first), limit: String(limit) });
  if (kind !== undefined) query.set("kind", kind);
  if (state !== undefined) query.set("state", state);
  if (contributorId !== undefined) query.set("contributor", String(contributorId));
  const path = `/v1/datanets/${datanetId}/findings?${query}`;
  return askHost(client, hostUrl, { path, isSigned: client.l2Key !== null, from }, findingsSchema);
}

export interface ListNoticesParameters {
  hostUrl: string;
  contributorId: number;
  first?: number;
  limit?: number;
}
export type ListNoticesErrorCode = HostErrorCode;

/**
 * Lists a host's notices to a contributor: their rows that a reviewer left out or accepted, the reason and the reviewer,
 * and the answer to their objection. Covers all public datanets of the host, newest first; permissioned ones, too, where the client
 * signs as the contributor.
 * @throws CLI_UNREACHABLE
 * @example
 * ```ts
 * const { notices } = await listNotices(client, { hostUrl, contributorId: 3 });
 * ```
 */
export async function listNotices(
  client: HostAccess,
  { contributorId, first = 0, hostUrl, limit = 1_000 }: ListNoticesParameters,
): Promise<NoticesPage> {
  const path = `/v1/notices?contributor=${contributorId}&from=${first}&limit=${limit}`;
  // Signed, a host shows those of permissioned Datanets, too.
  const isSigned = client.l2Key !== null && client.leafId === contributorId;
  return askHost(client, hostUrl, { path, isSigned }, noticesSchema);
}
