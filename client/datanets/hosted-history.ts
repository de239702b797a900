/** What has become of a Datanet over time, as its host has it beside the ledger: contributions, versions, differences. */
import { askHost, type HostAccess, type HostErrorCode, type HostedDatanetPlace } from "./host-request.ts";
import { type HostVersionView, versionsSchema } from "./host-schemas.ts";
import {
  type Citation,
  citationSchema,
  differenceSchema,
  type HostCommitView,
  hostCommitsSchema,
  type VersionDifference,
} from "./row-schemas.ts";

export type ListHostCommitsErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * Every contribution to a datanet: what of it is here, whether it is final, who has approved or rejected it.
 * @throws DNT_NOT_HOSTED
 * @example
 * ```ts
 * const waiting = (await listHostCommits(client, { hostUrl, datanetId: 10 })).filter(({ verdict }) => verdict === null);
 * ```
 */
export async function listHostCommits(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetPlace,
): Promise<HostCommitView[]> {
  return askHost(client, hostUrl, { path: `/v1/datanets/${datanetId}/commits` }, hostCommitsSchema);
}

export type ListHostVersionsErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * Every version of a datanet, and which the host has.
 * @throws DNT_NOT_HOSTED
 * @example
 * ```ts
 * const versions = await listHostVersions(client, { hostUrl, datanetId: 10 });
 * ```
 */
export async function listHostVersions(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetPlace,
): Promise<HostVersionView[]> {
  return askHost(client, hostUrl, { path: `/v1/datanets/${datanetId}/versions` }, versionsSchema);
}

export interface CompareVersionsParameters extends HostedDatanetPlace {
  /** Roots of two versions, 0x-hex of 32 bytes. */
  before: string;
  after: string;
  /** Place of the first change that is wanted; default 0. */
  at?: number;
  /** At most 1,000; default 100. */
  limit?: number;
}
export type CompareVersionsErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * Rows that came, went or changed owners between two versions.
 * @throws DNT_NOT_HOSTED
 * @example
 * ```ts
 * const [before, after] = ["0x11…", "0x22…"];
 * const { addedCount, removedCount } = await compareVersions(client, { hostUrl, datanetId: 10, before, after });
 * ```
 */
export async function compareVersions(
  client: HostAccess,
  { after, at = 0, before, datanetId, hostUrl, limit = 100 }: CompareVersionsParameters,
): Promise<VersionDifference> {
  const path = `/v1/datanets/${datanetId}/difference?before=${before}&after=${after}&from=${at}&limit=${limit}`;
  return askHost(client, hostUrl, { path }, differenceSchema);
}

export type GetCitationErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * How to cite a version, and its licence.
 * @param place.rowsRoot of the version, 0x-hex of 32 bytes
 * @throws DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { bibtex, licence } = await getCitation(client, { hostUrl, datanetId: 10, rowsRoot: "0x11…" });
 * ```
 */
export async function getCitation(
  client: HostAccess,
  { datanetId, hostUrl, rowsRoot }: HostedDatanetPlace & { rowsRoot: string },
): Promise<Citation> {
  const path = `/v1/datanets/${datanetId}/versions/${rowsRoot}/citation`;
  return askHost(client, hostUrl, { path }, citationSchema);
}
