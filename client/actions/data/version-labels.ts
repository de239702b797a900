/**
 * Accepted labels of a version's rows in a row store: a list beside the version, by its root, checked against it. Publishing
 * and downloads store it; recipes name the root, trainings and checks read the list.
 */
import { hexToBytes } from "@noble/hashes/utils.js";
import { labelsRoot } from "@openledger/attribution/rows/accepted-labels";
import { hex32 } from "@openledger/foundation/hex";
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import { clientError } from "../../client-errors.ts";
import { readRowFile, writeRowFile } from "./row-files.ts";
import type { RowStore } from "./row-store.ts";

const FORMAT = "openledger-accepted-labels-1";
const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  labels: z.array(z.string().min(1).nullable()),
});

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
 * Stores the accepted labels of a version beside it.
 * @example
 * ```ts
 * const { labels, version } = await collectReviewed(client, { hostUrl, datanetId: 10, store });
 * await storeVersion(store, version);
 * await storeVersionLabels(store, labels);
 * ```
 */
export async function storeVersionLabels(store: RowStore, { labels, root }: VersionLabels): Promise<void> {
  const text = `${JSON.stringify({ format: FORMAT, labels }, null, 1)}\n`;
  await writeRowFile(store.folder, labelsName(root), new TextEncoder().encode(text), true);
}

export type ReadVersionLabelsErrorCode = "CLI_ROWS_MISSING";

/**
 * Reads the accepted labels of a version's rows by their root, checked against it. Needs `initPoseidon`, as every client has
 * done.
 * @param version.rows of the version, in its order, as `readVersion` returns them
 * @param version.root that a recipe names, or that `storeVersionLabels` stored
 * @throws CLI_ROWS_MISSING
 * @example
 * ```ts
 * const { labels, rowsRoot } = await downloadVersion(client, { hostUrl, datanetId: 10, store });
 * const { rows } = await readVersion(store, rowsRoot);
 * const names = await readVersionLabels(store, { rows, root: labels.root });
 * ```
 */
export async function readVersionLabels(
  store: RowStore,
  { root, rows }: { readonly root: bigint; readonly rows: LabelledRows },
): Promise<readonly (string | null)[]> {
  const missing = (why: string, cause?: unknown) =>
    clientError("CLI_ROWS_MISSING", `the accepted labels of root ${hex32(root)} ${why}`, {
      data: { labelsRoot: hex32(root), folder: store.folder },
      cause,
    });
  let labels: readonly (string | null)[];
  try {
    const text = await readRowFile(store.folder, labelsName(root));
    labels = fileSchema.parse(JSON.parse(textOfBytes(text))).labels;
  } catch (cause) {
    throw missing("are not in the store", cause);
  }
  if (labels.length !== rows.length || nameVersionLabels(rows, labels).root !== root)
    throw missing("are not those that the store names");
  return labels;
}

const labelsName = (root: bigint) => `contributions/labels-${hex32(root).slice(2)}.json`;
