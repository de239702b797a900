/** Work of labellers: their next rows, and who they are to the host. */
import { askHost, type HostAccess, type HostErrorCode, type HostedDatanetPlace } from "./host-request.ts";
import {
  type DatanetStatistics,
  type LabelTurn,
  queueSchema,
  type Standing,
  standingSchema,
  statisticsSchema,
} from "./row-schemas.ts";

export interface NextRowsParameters extends HostedDatanetPlace {
  /** At most 50; default 10. */
  limit?: number;
  /** The labeller; default: the client's account. */
  from?: number;
}
export type NextRowsErrorCode = "DNT_ACCESS_NOT_GRANTED" | HostErrorCode;

/**
 * A labeller's next rows. They are kept for him for ten minutes, and are the same again until he has labelled them.
 * @throws DNT_ACCESS_NOT_GRANTED, CLI_NOT_CONFIGURED
 * @example
 * ```ts
 * const { rows, labelledCount } = await nextRows(client, { hostUrl, datanetId: 10 });
 * ```
 */
export async function nextRows(
  client: HostAccess,
  { datanetId, from, hostUrl, limit = 10 }: NextRowsParameters,
): Promise<LabelTurn> {
  const path = `/v1/datanets/${datanetId}/queue?limit=${limit}`;
  return askHost(client, hostUrl, { path, isSigned: true, from }, queueSchema);
}

export type GetStandingErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * Who the host takes the signer for, and what the card lets him do.
 * @throws DNT_NOT_HOSTED, CLI_NOT_CONFIGURED
 * @example
 * ```ts
 * const { mayLabel, mayReview } = await getStanding(client, { hostUrl, datanetId: 10 });
 * ```
 */
export async function getStanding(
  client: HostAccess,
  { datanetId, from, hostUrl }: HostedDatanetPlace & { from?: number },
): Promise<Standing> {
  const path = `/v1/datanets/${datanetId}/session`;
  return askHost(client, hostUrl, { path, isSigned: true, from }, standingSchema);
}

export type GetStatisticsErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * Classes, states, lengths, growth, agreement and labellers, as the host counts them.
 * @throws DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { labelling, states } = await getStatistics(client, { hostUrl, datanetId: 10 });
 * ```
 */
export async function getStatistics(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetPlace,
): Promise<DatanetStatistics> {
  return askHost(client, hostUrl, { path: `/v1/datanets/${datanetId}/statistics` }, statisticsSchema);
}
