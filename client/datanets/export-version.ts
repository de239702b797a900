/** A version's rows with their accepted labels, checked, for exports. The export command and the pages' download call it. */
import type { Card } from "@openledger/datanets/card/card";
import type { ExportedRow } from "@openledger/datanets/export/exported-rows";
import { type ReadVersionErrorCode, readVersion } from "../actions/data/published-version.ts";
import { readRow } from "../actions/data/row-store.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { type GetHostedDatanetErrorCode, getHostedDatanet } from "./datanet-card.ts";
import {
  type DownloadVersionErrorCode,
  type DownloadVersionParameters,
  downloadVersion,
} from "./download-rows.ts";
import { type DownloadLabelsErrorCode, downloadLabels } from "./reviewed-version.ts";
import type { Withdrawal } from "./withdrawals.ts";

export type ExportVersionParameters = DownloadVersionParameters;
export interface ExportVersionReturnType {
  card: Card;
  version: number;
  rowsRoot: bigint;
  /** Time of publication by the sequencer's word, in Unix milliseconds; null if it does not know it. */
  publishedAtMs: number | null;
  /** Rows in the version's order, without those that their contributors have withdrawn since. */
  rows: ExportedRow[];
  withdrawn: readonly Withdrawal[];
}
export type ExportVersionErrorCode =
  | DownloadVersionErrorCode
  | DownloadLabelsErrorCode
  | ReadVersionErrorCode
  | GetHostedDatanetErrorCode;

/**
 * Downloads a version as `downloadVersion` does, and returns its rows with their accepted labels and the Datanet's card. Rows that
 * their contributors have withdrawn are left out, also where the store still has them.
 * @throws CLI_DATANET_HOST_FALSE, CLI_UNKNOWN, CLI_ROWS_MISSING, DNT_ACCESS_NOT_GRANTED, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { card, rows } = await exportVersion(client, { hostUrl, datanetId: 10, store });
 * console.log(card.name, rows[0]?.label);
 * ```
 */
export async function exportVersion(
  client: LedgerClient,
  parameters: ExportVersionParameters,
): Promise<ExportVersionReturnType> {
  const { datanetId, hostUrl, store } = parameters;
  const { card } = await getHostedDatanet(client, { datanetId, hostUrl });
  const { publishedAtMs, rowsRoot, version, withdrawn } = await downloadVersion(client, parameters);
  const leftOut = new Set(withdrawn.map(({ digest }) => digest));
  const { labels } = await downloadLabels(client, { datanetId, hostUrl, store, rowsRoot });
  const { rows } = await readVersion(store, rowsRoot);
  const exported: ExportedRow[] = [];
  for (const [i, { contributorId, digest, validatorId }] of rows.entries()) {
    if (leftOut.has(digest)) continue;
    const content = await readRow(store, digest);
    exported.push({ content, label: labels[i] ?? null, digest, contributorId, validatorId });
  }
  return { card, version, rowsRoot, publishedAtMs, rows: exported, withdrawn };
}
