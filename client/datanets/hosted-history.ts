/**
 * History of a Datanet at its host: contributions, versions, and the rows that two versions differ by. The versions tab shows
 * it.
 */
import {
  askAsReader,
  askHost,
  type HostAccess,
  type HostErrorCode,
  type HostedDatanetLocation,
} from "./host-request.ts";
import { type HostVersionView, versionsSchema } from "./host-schemas.ts";
import {
  type Citation,
  citationSchema,
  differenceSchema,
  type HostCommitView,
  hostCommitsSchema,
  type VersionDifference,
} from "./row-schemas.ts";
import type { DroppedRecord } from "./sound-records.ts";
import { type ListWithdrawalsErrorCode, listWithdrawals, type Withdrawal } from "./withdrawals.ts";

export type ListHostCommitsErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * Lists every contribution to a datanet: the number of its rows on the host, its finality, and the leaf that approved or
 * rejected it.
 * @throws DNT_NOT_HOSTED
 * @example
 * ```ts
 * const waiting = (await listHostCommits(client, { hostUrl, datanetId: 10 })).filter(({ verdict }) => verdict === null);
 * ```
 */
export async function listHostCommits(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetLocation,
): Promise<HostCommitView[]> {
  return askHost(client, hostUrl, { path: `/v1/datanets/${datanetId}/commits` }, hostCommitsSchema);
}

export type ListHostVersionsErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * Lists every version of a datanet, and whether the host has it.
 * @throws DNT_NOT_HOSTED
 * @example
 * ```ts
 * const versions = await listHostVersions(client, { hostUrl, datanetId: 10 });
 * ```
 */
export async function listHostVersions(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetLocation,
): Promise<HostVersionView[]> {
  return askHost(client, hostUrl, { path: `/v1/datanets/${datanetId}/versions` }, versionsSchema);
}

export interface CompareVersionsParameters extends HostedDatanetLocation {
  /** Root of the earlier version, 0x-hex of 32 bytes; `after` is that of the later one. */
  before: string;
  after: string;
  /** Position of the first change to return; default 0. */
  at?: number;
  /** Maximum changes; at most 1,000; default 100. */
  limit?: number;
}
export interface CompareVersionsReturnType extends Omit<VersionDifference, "changes"> {
  changes: readonly (VersionDifference["changes"][number] & {
    /** Withdrawal by the contributor of a removed row; null for none that their leaf has signed. */
    readonly withdrawal: Withdrawal | null;
  })[];
  /** Withdrawals by the host's word alone: the present key of their leaf has not signed them. */
  dropped: readonly DroppedRecord[];
}
export type CompareVersionsErrorCode = "DNT_NOT_HOSTED" | ListWithdrawalsErrorCode | HostErrorCode;

/**
 * Compares two versions: rows that came, went or changed owners, and which of them their contributors have withdrawn.
 * @throws CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const [before, after] = ["0x11…", "0x22…"];
 * const { addedCount, removedCount } = await compareVersions(client, { hostUrl, datanetId: 10, before, after });
 * ```
 */
export async function compareVersions(
  client: HostAccess,
  { after, at = 0, before, datanetId, hostUrl, limit = 100 }: CompareVersionsParameters,
): Promise<CompareVersionsReturnType> {
  const path = `/v1/datanets/${datanetId}/difference?before=${before}&after=${after}&from=${at}&limit=${limit}`;
  const difference = await askAsReader(client, { datanetId, hostUrl }, { path }, differenceSchema);
  const isQuestion = difference.changes.some(({ change }) => change === "removed");
  const { dropped, withdrawals } = isQuestion
    ? await listWithdrawals(client, { datanetId, hostUrl })
    : { dropped: [], withdrawals: [] };
  const held = new Map(withdrawals.map((one) => [nameOf(one), one]));
  const changes = difference.changes.map((one) => {
    const contributorId = one.change === "removed" ? one.before?.contributorId : undefined;
    const name = contributorId === undefined ? "" : nameOf({ contributorId, digest: one.digest });
    return { ...one, withdrawal: held.get(name) ?? null };
  });
  return { ...difference, changes, dropped };
}

/** A row withdrawn by somebody else is another's word. */
const nameOf = ({ contributorId, digest }: Pick<Withdrawal, "contributorId" | "digest">) =>
  `${contributorId}/${digest}`;

export type GetCitationErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * Citation of a version, and its licence.
 * @param place.rowsRoot of the version, 0x-hex of 32 bytes
 * @throws DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { bibtex, licence } = await getCitation(client, { hostUrl, datanetId: 10, rowsRoot: "0x11…" });
 * ```
 */
export async function getCitation(
  client: HostAccess,
  { datanetId, hostUrl, rowsRoot }: HostedDatanetLocation & { rowsRoot: string },
): Promise<Citation> {
  const path = `/v1/datanets/${datanetId}/versions/${rowsRoot}/citation`;
  return askHost(client, hostUrl, { path }, citationSchema);
}
