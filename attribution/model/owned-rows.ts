/**
 * Rows that a model learns from, each with the two accounts that earn by it: who contributed it and who vouched for it. Of several
 * Datanets the rows stand one version after another. payee-table.ts counts whom they pay, rows-root.ts compares them with the ledger.
 */
import type { PayeeOwners } from "@openledger/circuits/ledger/rewards";
import { DATANET_COUNT_MAX } from "@openledger/circuits/protocol";

/** Accounts that a row earns for, and its Datanet. */
export interface RowOwners extends PayeeOwners {
  /** Index of the row's Datanet, in a model of several. Absent: 0. */
  readonly datanet?: number;
}

/** A row of a version, with the accounts that it earns for. */
export interface OwnedRow extends RowOwners {
  readonly content: Uint8Array;
  /** The row's accepted label; null: it has none. Absent: nobody has read it, since the recipe names no labels. */
  readonly label?: string | null;
}

/** The rows of a model's versions one after another, as its recipe names them. */
export const joinVersions = (versions: readonly (readonly OwnedRow[])[]): readonly OwnedRow[] =>
  versions.length === 1
    ? versions[0]!
    : versions.flatMap((rows, datanet) => rows.map((row) => ({ ...row, datanet })));

/** The rows of each Datanet, of as many as there are. */
export function versionRows<Row extends RowOwners>(rows: readonly Row[]): Row[][] {
  const count = 1 + rows.reduce((last, { datanet = 0 }) => Math.max(last, datanet), 0);
  return Array.from({ length: Math.min(count, DATANET_COUNT_MAX) }, (_, index) =>
    rows.filter(({ datanet = 0 }) => datanet === index),
  );
}
