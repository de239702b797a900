/**
 * Lists of labels in a row store, one a row, in one form of file. A contributor's labels lie beside the contribution until they are
 * signed and sent with the rows. The accepted labels of a version lie beside it by their root, which recipes name.
 */
import { hexToBytes } from "@noble/hashes/utils.js";
import { labelsRoot } from "@openledger/attribution/rows/accepted-labels";
import { hex32 } from "@openledger/foundation/hex";
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import { clientError } from "../../client-errors.ts";
import { readRowFile, writeRowFile } from "./row-files.ts";
import type { RowStore, StoredContribution } from "./row-store.ts";

const FORMAT = "openledger-labels-1";
const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  atMs: z.int().min(0),
  labels: z.array(z.string().min(1).nullable()),
});

/** Labels as a file has them. */
export interface StoredLabels {
  /**
   * Time at which they were stored, in Unix milliseconds. Records of a contributor's labels have it: an upload that is repeated
   * signs the same records.
   */
  readonly atMs: number;
  /** Label of each row, in its list's order; null for none. */
  readonly labels: readonly (string | null)[];
}

/** Accepted labels of a version's rows, in the version's order; null for a row without one. */
export interface VersionLabels {
  /** `labelsRoot` of the rows with these labels, which a recipe names. */
  readonly root: bigint;
  readonly labels: readonly (string | null)[];
}

/** Counts the rows with a label. */
export const labelledCount = ({ labels }: Pick<VersionLabels, "labels">): number =>
  labels.filter((label) => label !== null).length;

/** Rows of a version, as far as its labels need them. */
type LabelledRows = readonly { readonly digest: string }[];

/**
 * Names the accepted labels of rows by their root. Needs `initPoseidon`, as every client has done.
 * @internal
 */
export function nameVersionLabels(rows: LabelledRows, labels: readonly (string | null)[]): VersionLabels {
  const root = labelsRoot(rows.map(({ digest }, i) => ({ digest: hexToBytes(digest), label: labels[i]! })));
  return { root, labels };
}

/**
 * Stores the labels that a contributor's files give to rows. Without any label nothing is stored.
 * @throws CLI_INPUT_INVALID unless there is one place for each row
 * @internal
 */
export async function storeContributedLabels(
  store: RowStore,
  { rowCount, rowsRoot }: Pick<StoredContribution, "rowCount" | "rowsRoot">,
  labels: readonly (string | null)[],
): Promise<void> {
  if (labels.length !== rowCount)
    throw clientError("CLI_INPUT_INVALID", `${labels.length} labels are not those of ${rowCount} rows`, {
      data: { reason: "label-count", labelCount: labels.length, rowCount },
    });
  if (labels.some((label) => label !== null)) await writeLabels(store, contributedName(rowsRoot), labels);
}

/**
 * Reads the labels of a contribution's rows; null if none are stored.
 * @throws CLI_ROWS_MISSING if the file is damaged
 * @internal
 */
export async function readContributedLabels(
  store: RowStore,
  { rowCount, rowsRoot }: Pick<StoredContribution, "rowCount" | "rowsRoot">,
): Promise<StoredLabels | null> {
  const name = contributedName(rowsRoot);
  const file = await readRowFile(store.folder, name).catch(() => null);
  if (file === null) return null;
  const stored = parseLabels(file);
  if (stored?.labels.length === rowCount) return stored;
  throw clientError("CLI_ROWS_MISSING", `the labels of the rows of root ${hex32(rowsRoot)} are damaged`, {
    data: { rowsRoot: hex32(rowsRoot), folder: store.folder },
  });
}

/**
 * Stores the accepted labels of a version beside it.
 * @example
 * ```ts
 * const { labels, version } = await collectReviewed(client, { hostUrl, datanetId: 10, store });
 * await storeVersion(store, version);
 * await storeVersionLabels(store, labels);
 * ```
 */
export const storeVersionLabels = (store: RowStore, { labels, root }: VersionLabels): Promise<void> =>
  writeLabels(store, versionName(root), labels);

export type ReadVersionLabelsErrorCode = "CLI_ROWS_MISSING";

/**
 * Reads the accepted labels of a version's rows by their root, checked against it. Needs `initPoseidon`, as every client has
 * done.
 * @param version.rows of the version, in its order, as `readVersion` returns them
 * @param version.root that a recipe names, or that `storeVersionLabels` stored
 * @throws CLI_ROWS_MISSING
 * @example
 * ```ts
 * const { rowsRoot } = await downloadVersion(client, { hostUrl, datanetId: 10, store });
 * const { root } = await downloadLabels(client, { hostUrl, datanetId: 10, store, rowsRoot });
 * const { rows } = await readVersion(store, rowsRoot);
 * const labels = await readVersionLabels(store, { rows, root });
 * ```
 */
export async function readVersionLabels(
  store: RowStore,
  position: { readonly root: bigint; readonly rows: LabelledRows },
): Promise<readonly (string | null)[]> {
  return (await readStoredVersionLabels(store, position)).labels;
}

/**
 * Reads the accepted labels of a version's rows by their root, with the time at which they were stored.
 * @throws CLI_ROWS_MISSING
 * @internal
 */
export async function readStoredVersionLabels(
  store: RowStore,
  { root, rows }: { readonly root: bigint; readonly rows: LabelledRows },
): Promise<StoredLabels> {
  const missing = (why: string, cause?: unknown) =>
    clientError("CLI_ROWS_MISSING", `the accepted labels of root ${hex32(root)} ${why}`, {
      data: { labelsRoot: hex32(root), folder: store.folder },
      cause,
    });
  const file = await readRowFile(store.folder, versionName(root)).catch((cause: unknown) => {
    throw missing("are not in the store", cause);
  });
  const stored = parseLabels(file);
  if (stored?.labels.length === rows.length && nameVersionLabels(rows, stored.labels).root === root)
    return stored;
  throw missing("are not those that the store names");
}

async function writeLabels(
  { folder }: RowStore,
  name: string,
  labels: readonly (string | null)[],
): Promise<void> {
  const text = `${JSON.stringify({ format: FORMAT, atMs: Date.now(), labels }, null, 1)}\n`;
  await writeRowFile(folder, name, new TextEncoder().encode(text), true);
}

/** null for a damaged file. */
function parseLabels(file: Uint8Array): StoredLabels | null {
  try {
    const { atMs, labels } = fileSchema.parse(JSON.parse(textOfBytes(file)));
    return { atMs, labels };
  } catch {
    return null;
  }
}

const contributedName = (rowsRoot: bigint) => `contributions/own-labels-${hex32(rowsRoot).slice(2)}.json`;
const versionName = (root: bigint) => `contributions/labels-${hex32(root).slice(2)}.json`;
