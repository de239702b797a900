/**
 * What ledger, card and signed records show of a version, without its rows' contents: the facts of its papers. Exports and models'
 * papers read it.
 */
import { type Card, readCardBytes } from "@openledger/datanets/card/card";
import { type VersionFacts, versionFactsOf } from "@openledger/datanets/papers/version-facts";
import { recordId, type SignedRecord } from "@openledger/datanets/records/record";
import { RecordState } from "@openledger/datanets/records/record-state";
import type { ListedRow } from "@openledger/datanets/rows/row-wire";
import { hex32 } from "@openledger/foundation/hex";
import type { VersionLabels } from "../actions/data/stored-labels.ts";
import { type GetHostedDatanetErrorCode, getHostedDatanet } from "./datanet-card.ts";
import { downloadVersionList, type ListedVersion, listedVersion } from "./download-rows.ts";
import { hostFalse } from "./host-false.ts";
import {
  askHostForBytes,
  type HostAccess,
  type HostErrorCode,
  type HostedDatanetPlace,
} from "./host-request.ts";
import { labelsOfRecords } from "./reviewed-version.ts";
import { type ReadRecordsErrorCode, readRecords } from "./signed-records.ts";
import { presentKeysOf } from "./signing-keys.ts";
import { type ListWithdrawalsErrorCode, listWithdrawals, type Withdrawal } from "./withdrawals.ts";

export interface DescribeVersionParameters extends HostedDatanetPlace {
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
  facts: VersionFacts;
}
export type DescribeVersionErrorCode =
  | "CLI_DATANET_HOST_FALSE"
  | "CLI_UNKNOWN"
  | "DNT_NOT_HOSTED"
  | GetHostedDatanetErrorCode
  | ReadRecordsErrorCode
  | ListWithdrawalsErrorCode
  | HostErrorCode;

/**
 * Reads a version's card, list, labels and records, and counts its facts. The list is checked against the ledger's root, the card
 * against its hash there, each record against its signature. Of permissioned Datanets anyone may read them.
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
  const read = await readRecords(client, place);
  const labels = await labelsOfRecords(client, { ...read, card, rows });
  const contributors = new Map(rows.map(({ contributorId, digest }) => [digest, contributorId]));
  const withdrawn = (await listWithdrawals(client, place)).filter(
    ({ contributorId, digest }) => contributors.get(digest) === contributorId,
  );
  const records = await countedRecords(client, read.records);
  const recordState = new RecordState();
  for (const { body } of records) recordState.add(recordId(client.domain, body), body);
  const facts = versionFactsOf({
    card,
    rows,
    labels: labels.labels,
    recordState,
    unsignedCount: labels.unsigned.length,
    uncountedCount: read.records.length - records.length,
    withdrawn: new Set(withdrawn.map(({ digest }) => digest)),
    collected: listed.collected,
  });
  return { ...listed, card, rows, labels, withdrawn, facts };
}

/** Attack: a host makes up labels by keys that nobody has, and a paper counts them. */
async function countedRecords(client: HostAccess, records: readonly SignedRecord[]): Promise<SignedRecord[]> {
  const keys = await presentKeysOf(client, records);
  return records.filter(({ body, keyX }) => keys.get(body.leafId) === keyX);
}

/**
 * Reads the card with a hash. @param policy 0: the present card
 * @internal
 */
export async function cardOfVersion(
  client: HostAccess,
  place: HostedDatanetPlace,
  policy: bigint,
): Promise<Card> {
  const hosted = await getHostedDatanet(client, place);
  if (policy === 0n || BigInt(hosted.policy) === policy) return hosted.card;
  const path = `/v1/datanets/${place.datanetId}/cards/${hex32(policy)}`;
  const named = readCardBytes(await askHostForBytes(client, place.hostUrl, { path }));
  if (named.policy !== policy)
    throw hostFalse("card", `the card ${hex32(policy)} of datanet ${place.datanetId}`, {
      datanetId: place.datanetId,
    });
  return named.card;
}
