/**
 * Rows of published versions with their accepted labels, for `models train`, `verify model` and what-if: from a row store, where
 * the lists of labels lie beside the versions, or computed from the signed records of a Datanet host.
 */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { readVersion, readVersionRows } from "@openledger/client/actions/data/published-version";
import type { RowStore } from "@openledger/client/actions/data/row-store";
import {
  labelledCount,
  readStoredVersionLabels,
  readVersionLabels,
  type StoredLabels,
} from "@openledger/client/actions/data/stored-labels";
import { collectLabels } from "@openledger/client/datanets/reviewed-version";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { commandError } from "../../cli/cli-errors.ts";

/** A version to read. */
interface VersionLocation {
  readonly rowsRoot: bigint;
  /** Root of its accepted labels; not given: its rows are read without labels. */
  readonly labelsRoot?: bigint | undefined;
}

/** Reads a version's rows from a store, with the labels of a root. @throws CLI_ROWS_MISSING */
export async function readLabelledRows(
  store: RowStore,
  { labelsRoot, rowsRoot }: VersionLocation,
): Promise<OwnedRow[]> {
  const contents = await readVersionRows(store, rowsRoot);
  if (labelsRoot === undefined) return contents;
  const { rows } = await readVersion(store, rowsRoot);
  const labels = await readVersionLabels(store, { rows, root: labelsRoot });
  return contents.map((row, i) => ({ ...row, label: labels[i]! }));
}

/**
 * Root of the labels that a host's signed records give to rows, in their version's order.
 * @throws CLI_RECORDS_UNSIGNED where the host shows others, unless `withoutUnsigned` is true
 */
export async function rootOfRecords(
  client: LedgerClient,
  {
    rows,
    ...place
  }: { datanetId: number; hostUrl: string; rows: readonly OwnedRow[]; withoutUnsigned: boolean },
): Promise<bigint> {
  const listed = rows.map(({ content, contributorId, validatorId }) => ({
    digest: createHash("sha256").update(content).digest("hex"),
    contributorId,
    validatorId,
  }));
  return (await collectLabels(client, { ...place, rows: listed })).root;
}

/** Lists of labels that a store has beside a version, the newest last. Labels change without the rows, so there may be several. */
async function storedLabelsOf(
  store: RowStore,
  { rowsRoot }: Pick<VersionLocation, "rowsRoot">,
): Promise<readonly FoundLabels[]> {
  const { rows } = await readVersion(store, rowsRoot);
  const found: FoundLabels[] = [];
  for (const root of await labelRoots(store)) {
    const stored = await readStoredVersionLabels(store, { rows, root }).catch(ifOfAnother);
    if (stored !== null) found.push({ ...stored, root });
  }
  return found.sort((a, b) => a.atMs - b.atMs);
}

interface FoundLabels extends StoredLabels {
  readonly root: bigint;
}

interface NamedVersion {
  readonly id: number;
  readonly version: number;
  readonly rowsRoot: bigint;
  /** Root of the labels that a recipe names already. */
  readonly labelsRoot?: bigint | undefined;
}

/**
 * Roots of the labels of versions, for `models train`: those that are named, else the only list that a store has beside each.
 * @throws CMD_USAGE if a version has none, or several: what there is, and how to name one
 */
export async function onlyLabelsRoots(
  store: RowStore,
  versions: readonly NamedVersion[],
): Promise<readonly bigint[]> {
  const lists = await Promise.all(
    versions.map((version) => (version.labelsRoot === undefined ? storedLabelsOf(store, version) : [])),
  );
  const whatOf = ({ id, version }: NamedVersion) => `version ${version} of datanet ${id}`;
  const missing = versions.find(({ labelsRoot }, i) => labelsRoot === undefined && lists[i]!.length === 0);
  if (missing !== undefined)
    throw commandError(
      "CMD_USAGE",
      `the store has no accepted labels of ${whatOf(missing)}: bring them with openledger datanet download ${missing.id}, or name a host with --host URL`,
      { data: { reason: "labels-missing", datanetId: missing.id } },
    );
  const position = lists.findIndex((list) => list.length > 1);
  const newest = versions.map(({ labelsRoot }, i) => labelsRoot ?? lists[i]!.at(-1)!.root);
  if (position < 0) return newest;
  const [chosen, list] = [versions[position]!, lists[position]!];
  const lines = list.map(
    ({ atMs, labels, root }) =>
      `  ${hex32(root)}: ${labelledCount({ labels })} of ${labels.length} rows labelled, stored ${new Date(atMs).toISOString()}`,
  );
  const example = newest.map(hex32).join(",");
  const each = versions.length === 1 ? "" : ", one root for each Datanet in the order of --datanet";
  throw commandError(
    "CMD_USAGE",
    [
      `the store has ${list.length} lists of accepted labels of ${whatOf(chosen)}:`,
      ...lines,
      `take the newest with --labels ${example}${each}, or those of a host's signed records with --host URL`,
    ].join("\n"),
    {
      data: {
        reason: "labels-several",
        datanetId: chosen.id,
        version: chosen.version,
        labelsRoots: list.map(({ root }) => hex32(root)),
      },
    },
  );
}

/** Roots of all lists of labels in a store. */
async function labelRoots({ folder }: RowStore): Promise<bigint[]> {
  const names = await readdir(join(folder, "contributions"));
  return names.flatMap((name) => {
    const root = /^labels-([0-9a-f]{64})\.json$/.exec(name)?.[1];
    return root === undefined ? [] : [BigInt(`0x${root}`)];
  });
}

function ifOfAnother(error: unknown): null {
  if (isRollupError(error, "CLI_ROWS_MISSING")) return null;
  throw error;
}
