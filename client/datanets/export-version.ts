/** A version's rows with their accepted labels, checked, for exports. The export command and the pages' download call it. */
import type { Card } from "@openledger/datanets/card/card";
import type { ExportedRow } from "@openledger/datanets/export/exported-rows";
import type { VersionFacts } from "@openledger/datanets/papers/version-facts";
import { type ReadRowErrorCode, readRow } from "../actions/data/row-store.ts";
import { storeVersionLabels } from "../actions/data/stored-labels.ts";
import { type DescribeVersionErrorCode, describeVersion } from "./described-version.ts";
import {
  type DownloadVersionErrorCode,
  type DownloadVersionParameters,
  downloadVersion,
} from "./download-rows.ts";
import type { HostAccess } from "./host-request.ts";
import { areAllSigned, type DroppedRecord } from "./sound-records.ts";
import type { Withdrawal } from "./withdrawals.ts";

export type ExportVersionParameters = DownloadVersionParameters;
export interface ExportVersionReturnType {
  /** The card that the version was published with. */
  card: Card;
  version: number;
  rowsRoot: bigint;
  /** Hash of that card; 0 if the version was published without one, and the card is the present one. */
  policy: bigint;
  /** Time of publication by the sequencer's word, in Unix milliseconds; null if it does not know it. */
  publishedAtMs: number | null;
  /** Rows in the version's order, without those that their contributors have withdrawn since. */
  rows: ExportedRow[];
  withdrawn: readonly Withdrawal[];
  /** Rows that are left out by the host's word, as `downloadVersion` has them. */
  refused: readonly string[];
  /** Records of the host that count for nothing: the labels are those without them, and are not stored. */
  dropped: readonly DroppedRecord[];
  /** Facts of the version from the ledger, the card and the records. */
  facts: VersionFacts;
}
export type ExportVersionErrorCode = DownloadVersionErrorCode | DescribeVersionErrorCode | ReadRowErrorCode;

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
  client: HostAccess,
  parameters: ExportVersionParameters,
): Promise<ExportVersionReturnType> {
  const { datanetId, hostUrl, store } = parameters;
  const { refused, version } = await downloadVersion(client, parameters);
  // Read behind the rows: one that was withdrawn in the meantime is left out, and counted.
  const described = await describeVersion(client, { datanetId, hostUrl, version });
  const { card, dropped, facts, labels, policy, publishedAtMs, rowsRoot, withdrawn } = described;
  // A training that reads the store would not see that the host has shown others.
  if (areAllSigned(dropped)) await storeVersionLabels(store, labels);
  const leftOut = new Set([...withdrawn.map(({ digest }) => digest), ...refused]);
  const rows: ExportedRow[] = [];
  for (const [i, { contributorId, digest, validatorId }] of described.rows.entries()) {
    if (leftOut.has(digest)) continue;
    const content = await readRow(store, digest);
    rows.push({ content, label: labels.labels[i] ?? null, digest, contributorId, validatorId });
  }
  return { card, version, rowsRoot, policy, publishedAtMs, rows, withdrawn, refused, dropped, facts };
}
