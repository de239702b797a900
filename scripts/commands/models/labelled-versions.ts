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
  readVersionLabels,
  storeVersionLabels,
  type VersionLabels,
} from "@openledger/client/actions/data/version-labels";
import { collectLabels } from "@openledger/client/datanets/reviewed-version";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { commandError } from "../../cli/cli-errors.ts";

/** A version to read. */
interface VersionPlace {
  readonly rowsRoot: bigint;
  /** Root of its accepted labels; not given: its rows are read without labels. */
  readonly labelsRoot?: bigint | undefined;
}

/** Reads a version's rows from a store, with the labels of a root. @throws CLI_ROWS_MISSING */
export async function readLabelledRows(
  store: RowStore,
  { labelsRoot, rowsRoot }: VersionPlace,
): Promise<OwnedRow[]> {
  const contents = await readVersionRows(store, rowsRoot);
  if (labelsRoot === undefined) return contents;
  const { rows } = await readVersion(store, rowsRoot);
  const labels = await readVersionLabels(store, { rows, root: labelsRoot });
  return contents.map((row, i) => ({ ...row, label: labels[i]! }));
}

/** Computes the labels of a version from a host's signed records, and stores them beside it. */
export async function bringLabels(
  client: LedgerClient,
  store: RowStore,
  { datanetId, hostUrl, rowsRoot }: { datanetId: number; hostUrl: string; rowsRoot: bigint },
): Promise<bigint> {
  const { rows } = await readVersion(store, rowsRoot);
  const labels = await collectLabels(client, { datanetId, hostUrl, rows });
  await storeVersionLabels(store, labels);
  return labels.root;
}

/** Root of the labels that a host's signed records give to rows, in their version's order. */
export async function rootOfRecords(
  client: LedgerClient,
  { datanetId, hostUrl, rows }: { datanetId: number; hostUrl: string; rows: readonly OwnedRow[] },
): Promise<bigint> {
  const listed = rows.map(({ content, contributorId, validatorId }) => ({
    digest: createHash("sha256").update(content).digest("hex"),
    contributorId,
    validatorId,
  }));
  return (await collectLabels(client, { datanetId, hostUrl, rows: listed })).root;
}

/**
 * The root of the labels that a store has beside a version. Labels change without the rows, so that a store may have
 * several lists.
 * @throws CMD_USAGE if it has none, or several
 */
export async function onlyLabelsRoot(
  store: RowStore,
  { id, rowsRoot, version }: { id: number; rowsRoot: bigint; version: number },
): Promise<bigint> {
  const { rows } = await readVersion(store, rowsRoot);
  const found: VersionLabels[] = [];
  for (const root of await labelRoots(store)) {
    const labels = await readVersionLabels(store, { rows, root }).catch(ifOfAnother);
    if (labels !== null) found.push({ root, labels });
  }
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only.root;
  const what = `version ${version} of datanet ${id}`;
  throw commandError(
    "CMD_USAGE",
    only === undefined
      ? `the store has no accepted labels of ${what}: bring them with openledger datanet download ${id}, or name a host with --host URL`
      : `the store has ${found.length} lists of labels of ${what}: name one with --labels, of ${found.map(({ root }) => hex32(root)).join(", ")}`,
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
