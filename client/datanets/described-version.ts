/**
 * Description of a version by ledger, card and signed records, without its rows' contents: the facts of its papers.
 * Exports and models' papers read it.
 */
import type { Card } from "@openledger/datanets/card/card";
import { type VersionFacts, versionFactsOf } from "@openledger/datanets/papers/version-facts";
import type { ListedRow } from "@openledger/datanets/rows/row-wire";
import type { VersionLabels } from "../actions/data/stored-labels.ts";
import { listReports } from "./bias-report.ts";
import { readCountedRecords, type UncountedRecord } from "./counted-records.ts";
import { cardOfVersion, type GetHostedDatanetErrorCode } from "./datanet-card.ts";
import { downloadVersionList, type ListedVersion, listedVersion } from "./download-rows.ts";
import type { HostAccess, HostErrorCode, HostedDatanetLocation } from "./host-request.ts";
import { contributorsOf, labelsOfRecords } from "./reviewed-version.ts";
import type { ReadRecordsErrorCode } from "./signed-records.ts";
import { type ReadRowTermsErrorCode, readRowTerms } from "./signed-terms.ts";
import { type ListWithdrawalsErrorCode, listWithdrawals, type Withdrawal } from "./withdrawals.ts";

export interface DescribeVersionParameters extends HostedDatanetLocation {
  /** Version number; default: the present one. */
  version?: number;
}
export interface DescribeVersionReturnType extends ListedVersion {
  /** The card that the version was published with; the present one if it was published without. */
  card: Card;
  rows: readonly ListedRow[];
  /** Accepted labels of the rows, by that card. */
  labels: VersionLabels;
  /** Rows that their contributors have withdrawn since. */
  withdrawn: readonly Withdrawal[];
  /** Records of the host that count for nothing: the present key of their leaf has not signed them. */
  dropped: readonly UncountedRecord[];
  facts: VersionFacts;
}
export type DescribeVersionErrorCode =
  | "CLI_DATANET_HOST_FALSE"
  | "CLI_UNKNOWN"
  | "DNT_NOT_HOSTED"
  | GetHostedDatanetErrorCode
  | ReadRecordsErrorCode
  | ReadRowTermsErrorCode
  | ListWithdrawalsErrorCode
  | HostErrorCode;

/**
 * Reads a version's card, list, labels, records, signed terms and reports, and counts its facts. The list is checked against the
 * ledger's root, the card against its hash there, each record against the key that the ledger has. Of permissioned Datanets it needs
 * access to the rows.
 * @throws CLI_DATANET_HOST_FALSE, CLI_UNKNOWN, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { card, facts } = await describeVersion(client, { hostUrl, datanetId: 10 });
 * console.log(card.licence, facts.contributors.length);
 * ```
 */
export async function describeVersion(
  client: HostAccess,
  { version, ...place }: DescribeVersionParameters,
): Promise<DescribeVersionReturnType> {
  const listed = await listedVersion(client, place.datanetId, version);
  const card = await cardOfVersion(client, place, listed.policy);
  const rows = await downloadVersionList(client, { ...place, rowsRoot: listed.rowsRoot });
  const contributors = contributorsOf(rows);
  const { dropped, recordState } = await readCountedRecords(client, place, { card, contributors });
  const labels = labelsOfRecords({ recordState, card, rows });
  const withdrawn = (await listWithdrawals(client, place)).withdrawals.filter(
    ({ contributorId, digest }) => contributors.get(digest) === contributorId,
  );
  const facts = versionFactsOf({
    card,
    rows,
    labels: labels.labels,
    recordState,
    uncountedCount: dropped.length,
    withdrawn: new Set(withdrawn.map(({ digest }) => digest)),
    terms: await readRowTerms(client, { ...place, rowsRoot: listed.rowsRoot, rows }),
    reports: await reportsOf(client, { ...place, version: listed.version }, card),
    collected: listed.collected,
  });
  return { ...listed, card, rows, labels, withdrawn, dropped, facts };
}

/** Reports of bias of a version that the Datanet or its reviewers have signed: anyone may sign one. */
async function reportsOf(
  client: HostAccess,
  location: HostedDatanetLocation & { version: number },
  { labelling }: Card,
): Promise<VersionFacts["reports"]> {
  const team = new Set([location.datanetId, ...labelling.reviewers]);
  const reports = (await listReports(client, location)).reports.flatMap(({ modelId, sha256, signers }) => {
    const ofTeam = signers.map(({ leafId }) => leafId).filter((leafId) => team.has(leafId));
    return ofTeam.length === 0 ? [] : [{ sha256, modelId, signers: ofTeam.sort((a, b) => a - b) }];
  });
  return reports.sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
}
