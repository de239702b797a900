/**
 * Versions that a data set is made of: of each Datanet its card, list and accepted labels, fetched from its host and checked
 * against the ledger. dataset-store.ts stores them.
 */
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { payeeTable } from "@openledger/attribution/model/payee-table";
import type { RowTerms } from "@openledger/attribution/model/recipe-fields";
import { useOfKind } from "@openledger/attribution/rows/row-kinds";
import { cardOfVersion } from "@openledger/client/datanets/datanet-card";
import { downloadVersionList, listedVersion } from "@openledger/client/datanets/download-rows";
import type { HostAccess } from "@openledger/client/datanets/host-request";
import { collectLabels } from "@openledger/client/datanets/reviewed-version";
import { readRowTerms } from "@openledger/client/datanets/signed-terms";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { type Card, nameCard } from "@openledger/datanets/card/card";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { factoryError } from "../../model-errors.ts";
import type { DatasetVersion, FactoryDataset } from "../factory-api.ts";

/** The factory's client, without a key, with what the account has signed for it. */
type FactoryReader = LedgerClient & Pick<HostAccess, "signedRequests">;

export interface VersionLocation {
  readonly hostUrl: string;
  readonly datanetId: number;
  readonly version: number | null;
}

/** A row as a data set lists it. */
export interface ListedRow extends Pick<OwnedRow, "contributorId" | "validatorId" | "label"> {
  readonly digest: string;
  readonly datanet: number;
}

interface ReadVersion {
  readonly card: Card;
  readonly named: DatasetVersion;
  readonly rows: readonly ListedRow[];
  readonly terms: readonly RowTerms[];
}

/** Facts of a data set, before its rows are there. */
export interface DatasetFacts {
  readonly rowsRoot: string;
  readonly labelsRoots: string | null;
  readonly card: string;
  readonly rows: readonly ListedRow[];
  readonly view: Pick<
    FactoryDataset,
    "datanet" | "further" | "labels" | "name" | "people" | "rowCount" | "rowKind" | "terms"
  >;
}

/**
 * Reads versions of one Datanet or of several, in their places.
 * @throws CLI_RECORDS_UNSIGNED, CLI_UNKNOWN, CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED, MOD_FACTORY_NOT_TRAINABLE where they do not go together
 */
export async function readVersions(
  client: FactoryReader,
  positions: readonly VersionLocation[],
  withoutUnsigned = false,
): Promise<DatasetFacts> {
  const versions: ReadVersion[] = [];
  for (const [place, expected] of positions.entries())
    versions.push(await readVersion(client, expected, { place, withoutUnsigned }));
  const [first, ...others] = versions as [ReadVersion, ...ReadVersion[]];
  for (const { card, named } of others) requireSameForm(first, card, named.id);
  const rows = versions.flatMap((version) => version.rows);
  const roots = versions.map(({ named }) => named.labelsRoot);
  const names = first.card.labels.map(({ name }) => name);
  return {
    rowsRoot: versions.map(({ named }) => named.rowsRoot).join(","),
    labelsRoots: roots.includes(null) ? null : roots.join(","),
    card: nameCard(first.card).text,
    rows,
    view: {
      name: versions
        .map(({ card }) => card.name)
        .join(" + ")
        .slice(0, 100),
      datanet: first.named,
      further: others.map(({ named }) => named),
      rowKind: first.card.row.kind,
      rowCount: rows.length,
      terms: versions.flatMap(({ terms }) => terms),
      labels: roots.includes(null)
        ? null
        : names.map((name) => ({ name, rowCount: rows.filter(({ label }) => label === name).length })),
      people: payeeTable(rows),
    },
  };
}

async function readVersion(
  client: FactoryReader,
  { datanetId, hostUrl, version: expected }: VersionLocation,
  { place: datanet, withoutUnsigned }: { readonly place: number; readonly withoutUnsigned: boolean },
): Promise<ReadVersion> {
  const location = { datanetId, hostUrl };
  const { rowsRoot, version } = await listedVersion(client, datanetId, expected ?? undefined);
  const card = await cardOfVersion(client, location, 0n);
  const list = await downloadVersionList(client, { ...location, rowsRoot }).catch((cause: unknown) => {
    throw isRollupError(cause, "DNT_NOT_HOSTED") ? noVersion(datanetId, cause) : cause;
  });
  // A language model reads no labels.
  const labels =
    useOfKind(card.row.kind) === "write"
      ? null
      : await collectLabels(client, { ...location, rows: list, withoutUnsigned });
  return {
    card,
    terms: await readRowTerms(client, { ...location, rowsRoot, rows: list }),
    named: {
      id: datanetId,
      version,
      rowsRoot: hex32(rowsRoot),
      hostUrl,
      isPublic: card.access === "public",
      labelsRoot: labels === null ? null : hex32(labels.root),
      licence: card.licence,
    },
    rows: list.map((row, i) => ({
      ...row,
      datanet,
      ...(labels === null ? {} : { label: labels.labels[i]! }),
    })),
  };
}

/** A card that was signed before any row is a version without a list. */
function noVersion(id: number, cause: unknown) {
  const whyNot = `Datanet ${id} has no published version with rows at its host`;
  const remedy = "approve its contributions, and publish a version";
  return factoryError("MOD_FACTORY_NOT_TRAINABLE", `${whyNot}: ${remedy}`, {
    data: { id, whyNot, remedy },
    cause,
  });
}

/** Rows of several Datanets make one model: they are of one kind, with the same labels and fields. */
function requireSameForm({ card: first }: ReadVersion, card: Card, id: number): void {
  const formOf = ({ labels, row }: Card) =>
    JSON.stringify([row.kind, row.fields, labels.map(({ name }) => name)]);
  if (formOf(first) === formOf(card)) return;
  const whyNot = `the rows of Datanet ${id} have another kind, other fields or other labels`;
  const remedy = "choose Datanets with the same kind, fields and labels";
  throw factoryError("MOD_FACTORY_NOT_TRAINABLE", `${whyNot}: ${remedy}`, { data: { id, whyNot, remedy } });
}
