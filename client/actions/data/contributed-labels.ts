/**
 * Labels that a contributor's files give to rows: beside the contribution in the row store until the host has the rows, then
 * signed and sent by upload-rows.ts. `contributeRows` stores them.
 */
import { hex32 } from "@openledger/foundation/hex";
import { textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import { clientError } from "../../client-errors.ts";
import { readRowFile, writeRowFile } from "./row-files.ts";
import type { RowStore, StoredContribution } from "./row-store.ts";

const FORMAT = "openledger-contributed-labels-1";
const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  atMs: z.int().min(0),
  labels: z.array(z.string().min(1).nullable()),
});

export interface ContributedLabels {
  /** Time of the labels' records, in Unix milliseconds: an upload that is repeated signs the same records. */
  readonly atMs: number;
  /** Label of each row, in the contribution's order; null for none. */
  readonly labels: readonly (string | null)[];
}

/**
 * Stores the labels of a contribution's rows. Without any label nothing is stored.
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
  if (labels.every((label) => label === null)) return;
  const text = `${JSON.stringify({ format: FORMAT, atMs: Date.now(), labels }, null, 1)}\n`;
  await writeRowFile(store.folder, nameOf(rowsRoot), new TextEncoder().encode(text), true);
}

/**
 * Reads the labels of a contribution's rows; null if none are stored.
 * @throws CLI_ROWS_MISSING if the file is damaged
 * @internal
 */
export async function readContributedLabels(
  store: RowStore,
  { rowCount, rowsRoot }: Pick<StoredContribution, "rowCount" | "rowsRoot">,
): Promise<ContributedLabels | null> {
  const file = await readRowFile(store.folder, nameOf(rowsRoot)).catch(() => null);
  if (file === null) return null;
  try {
    const { atMs, labels } = fileSchema.parse(JSON.parse(textOfBytes(file)));
    if (labels.length === rowCount) return { atMs, labels };
  } catch {
    // Damaged, as one of another length.
  }
  throw clientError("CLI_ROWS_MISSING", `the labels of the rows of root ${hex32(rowsRoot)} are damaged`, {
    data: { rowsRoot: hex32(rowsRoot), folder: store.folder },
  });
}

const nameOf = (rowsRoot: bigint) => `contributions/own-labels-${hex32(rowsRoot).slice(2)}.json`;
