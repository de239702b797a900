/**
 * Calls to a Datanet's host about labelling, for its pages and commands: a labeller's next rows and standing, statistics of all
 * rows, and a model's suggestions of labels.
 */

import { contentOfRow } from "@openledger/attribution/rows/salted-rows";
import type { Card } from "@openledger/datanets/card/card";
import { RollupError } from "@openledger/foundation/rollup-error";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { fetchRowContents, findRows } from "./browse-rows.ts";
import { getHostedDatanet } from "./datanet-card.ts";
import { hostFalse } from "./host-false.ts";
import {
  askAsReader,
  askHost,
  type HostAccess,
  type HostErrorCode,
  type HostedDatanetLocation,
} from "./host-request.ts";
import {
  type DatanetStatistics,
  type LabelTurn,
  queueSchema,
  type Standing,
  standingSchema,
  statisticsSchema,
} from "./row-schemas.ts";
import { sayRecords, type UnsignedRecord } from "./signed-records.ts";

export interface NextRowsParameters extends HostedDatanetLocation {
  /** Maximum rows; at most 50; default 10. */
  limit?: number;
  /** Digests of rows that are labelled already, whose labels will be sent soon: they stay reserved. At most 50. */
  unsent?: readonly string[];
  /** Digests of rows not to return now. At most 50. */
  skipped?: readonly string[];
  /** Leaf of the labeller; default: the client's account. */
  from?: number;
}
export type NextRowsErrorCode = "DNT_ACCESS_NOT_GRANTED" | "DNT_RECORD_NOT_ALLOWED" | HostErrorCode;

/**
 * Requests a labeller's next rows. The host reserves them for two minutes, or until the labeller's next request.
 * @throws DNT_ACCESS_NOT_GRANTED, DNT_RECORD_NOT_ALLOWED where the card names other labellers, CLI_NOT_CONFIGURED
 * @example
 * ```ts
 * const { rows, labelledCount } = await nextRows(client, { hostUrl, datanetId: 10 });
 * ```
 */
export async function nextRows(
  client: HostAccess,
  { datanetId, from, hostUrl, limit = 10, skipped = [], unsent = [] }: NextRowsParameters,
): Promise<LabelTurn> {
  const listed = Object.entries({ unsent, skipped }).filter(([, digests]) => digests.length > 0);
  const passed = listed.map(([name, digests]) => `&${name}=${digests.join(",")}`).join("");
  const path = `/v1/datanets/${datanetId}/queue?limit=${limit}${passed}`;
  return askHost(client, hostUrl, { path, isSigned: true, from }, queueSchema);
}

export type GetStandingErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * Reads the signer's role on a host, and the actions that the card permits.
 * @throws DNT_NOT_HOSTED, CLI_NOT_CONFIGURED
 * @example
 * ```ts
 * const { mayLabel, mayReview } = await getStanding(client, { hostUrl, datanetId: 10 });
 * ```
 */
export async function getStanding(
  client: HostAccess,
  { datanetId, from, hostUrl }: HostedDatanetLocation & { from?: number },
): Promise<Standing> {
  const path = `/v1/datanets/${datanetId}/session`;
  return askHost(client, hostUrl, { path, isSigned: true, from }, standingSchema);
}

export type GetStatisticsErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * Reads the host's statistics: classes, states, lengths, growth, agreement and labellers; of a permissioned datanet by a request
 * that the client signs.
 * @throws DNT_NOT_HOSTED, DNT_REQUEST_UNSIGNED, DNT_ACCESS_NOT_GRANTED
 * @example
 * ```ts
 * const { labelling, states } = await getStatistics(client, { hostUrl, datanetId: 10 });
 * ```
 */
export async function getStatistics(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetLocation,
): Promise<DatanetStatistics> {
  const path = `/v1/datanets/${datanetId}/statistics`;
  return askAsReader(client, { datanetId, hostUrl }, { path }, statisticsSchema);
}

/** Rows of one request to the host. */
const PAGE_ROWS = 200;

export interface SuggestLabelsParameters extends HostedDatanetLocation {
  /** Labels a row. Returns a label of the card; null for a row that the model cannot label. */
  labelRow: (content: Uint8Array, card: Card) => string | null;
  /** Name under which labellers see the model. */
  modelName: string;
  /** Leaf of the reviewer who signs; default: the client's account. */
  from?: number;
  /** Called after each page; `totalCount` is null where the host has not counted all rows that wait. */
  onProgress?: (doneCount: number, totalCount: number | null) => void;
}
export type SuggestLabelsErrorCode =
  | "CLI_DATANET_HOST_FALSE"
  | "CLI_WRONG_MODEL"
  | "DNT_RECORD_NOT_ALLOWED"
  | "DNT_NOT_HOSTED"
  | HostErrorCode;

export interface SuggestLabelsReturnType {
  readonly suggestedCount: number;
  /** Rows that wait for labels and get none from the model. */
  readonly skippedCount: number;
}

/**
 * Labels the rows that wait for labels by a model, and brings its labels as signed suggestions: labellers see them on
 * request, and they decide nothing.
 * @throws CLI_WRONG_MODEL, DNT_RECORD_NOT_ALLOWED where the signer is no reviewer, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const rain = (content: Uint8Array) => new TextDecoder().decode(content).includes("rain");
 * const labelRow = (content: Uint8Array) => (rain(content) ? "bad" : "good");
 * await suggestLabels(client, { hostUrl, datanetId: 10, labelRow, modelName: "looks for rain" });
 * ```
 */
export async function suggestLabels(
  client: LedgerClient,
  { from, labelRow, modelName, onProgress, ...place }: SuggestLabelsParameters,
): Promise<SuggestLabelsReturnType> {
  const signed = { isSigned: true, ...(from === undefined ? {} : { from }) };
  const { card } = await getHostedDatanet(client, place);
  let suggestedCount = 0;
  let skippedCount = 0;
  for (let after: number | null = 0; after !== null; ) {
    const at = after === 0 ? {} : { after };
    const page = await findRows(client, { ...place, ...signed, ...at, state: "waiting", limit: PAGE_ROWS });
    const records: UnsignedRecord[] = [];
    const digests = page.rows.map(({ digest }) => digest);
    for (let read = 0; read < digests.length; ) {
      const selection = { digests: digests.slice(read), maxRowBytes: card.row.maxBytes };
      for (const content of await fetchRowContents(client, { ...place, ...signed, ...selection })) {
        const label = labelRow(contentOfRow(content), card);
        if (label === null) skippedCount += 1;
        else {
          requireLabelOf(card, label);
          records.push({ kind: "suggestion", row: digests[read]!, label, model: modelName });
        }
        read += 1;
      }
    }
    for (const { error } of await sayRecords(client, {
      ...place,
      records,
      ...(from === undefined ? {} : { from }),
    })) {
      if (error !== null) throw new RollupError(error.code, error.message);
      suggestedCount += 1;
    }
    onProgress?.(suggestedCount + skippedCount, page.isTotalExact ? page.total : null);
    // Attack: a list of rows without an end, each of which a reviewer signs for.
    if (page.next !== null && (page.next <= after || digests.length === 0))
      throw hostFalse("list", `the page behind row ${after} of those that wait`, {
        datanetId: place.datanetId,
      });
    after = page.next;
  }
  return { suggestedCount, skippedCount };
}

/** @throws CLI_WRONG_MODEL */
function requireLabelOf(card: Card, label: string): void {
  if (!card.labels.some(({ name }) => name === label))
    throw clientError("CLI_WRONG_MODEL", `the model says "${label}", no label of the card`, {
      data: { reason: "label-not-of-card", label },
    });
}
