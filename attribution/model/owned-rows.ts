/**
 * Rows of versions with the contributor and validator that each earns for, whatever its content: the payee table of a
 * model (payee: a pair of both), and the check of rows against the ledger's root. Trainings and verification use it.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { inPlaces, payeeShards } from "@openledger/circuits/ledger/payee-shards";
import type { Payee, PayeeOwners } from "@openledger/circuits/ledger/rewards";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { DATANET_COUNT_MAX, MAX_PAYEE_COUNT } from "@openledger/circuits/protocol";
import { hex32 } from "@openledger/foundation/hex";
import { rowNumber } from "@openledger/foundation/row-number";
import { attributionError } from "../attribution-errors.ts";
import { labelsRoot } from "../rows/accepted-labels.ts";
import { hashContents } from "../rows/labelled-rows.ts";
import { type RecipeBase, type RecipeVersion, versionsOf } from "./recipe-fields.ts";

interface RowPlace extends PayeeOwners {
  /** Place of the row's Datanet, in a model of several. Absent: 0. */
  readonly datanet?: number;
}

/** A row of a version, with the payee it earns for. */
export interface OwnedRow extends RowPlace {
  readonly content: Uint8Array;
  /** The row's accepted label; null: it has none. Absent: nobody has looked, since the recipe names no labels. */
  readonly label?: string | null;
}

/** The rows of a model's versions one after another, as its recipe names them. */
export const joinVersions = (versions: readonly (readonly OwnedRow[])[]): readonly OwnedRow[] =>
  versions.length === 1
    ? versions[0]!
    : versions.flatMap((rows, datanet) => rows.map((row) => ({ ...row, datanet })));

/** The rows of each Datanet, of as many as there are. */
function versionRows<Row extends RowPlace>(rows: readonly Row[]): Row[][] {
  const count = 1 + rows.reduce((last, { datanet = 0 }) => Math.max(last, datanet), 0);
  return Array.from({ length: Math.min(count, DATANET_COUNT_MAX) }, (_, place) =>
    rows.filter(({ datanet = 0 }) => datanet === place),
  );
}

/**
 * Payees of rows in their versions' order, ascending by contributor, then validator. Each of several Datanets has a
 * shard, and its payees are in the places of that shard.
 * @throws ATT_ROWS_MISMATCH, ATT_BEYOND_CIRCUIT where one of several Datanets has more payees than a shard
 */
export function payeeTable(rows: readonly RowPlace[]): Payee[] {
  const tables = versionRows(rows).map(versionPayees);
  if (tables.length === 1) return tables[0]!;
  const max = MAX_PAYEE_COUNT;
  const large = tables.findIndex(({ length }) => length > max);
  if (large < 0) return inPlaces(tables);
  const given = tables[large]!.length;
  throw attributionError(
    "ATT_BEYOND_CIRCUIT",
    `Datanet ${large} of the recipe's has ${given} payees, and each of several has ${max} at most`,
    { data: { what: "payees", given, max } },
  );
}

function versionPayees(rows: readonly PayeeOwners[]): Payee[] {
  const payees: Payee[] = [];
  for (const [index, { contributorId, validatorId }] of rows.entries()) {
    const last = payees.at(-1);
    const order =
      last === undefined ? 1 : contributorId - last.contributorId || validatorId - last.validatorId;
    if (order < 0) {
      throw attributionError(
        "ATT_ROWS_MISMATCH",
        `row ${rowNumber(index)} belongs to an earlier payee than row ${rowNumber(index - 1)}`,
        {
          data: { index },
        },
      );
    }
    if (order === 0) payees[payees.length - 1] = { ...last!, rowCount: last!.rowCount + 1 };
    else payees.push({ contributorId, validatorId, rowCount: 1 });
  }
  if (payees.length === 0) throw attributionError("ATT_ROWS_MISMATCH", "a version has at least one row");
  return payees;
}

/** Payees of all shards as their one version lists them: none absent, each once. */
export function wholePayees(places: readonly Payee[]): Payee[] {
  const payees: Payee[] = [];
  for (const payee of places.filter(({ rowCount }) => rowCount > 0)) {
    const last = payees.at(-1);
    const isSame = last?.contributorId === payee.contributorId && last.validatorId === payee.validatorId;
    if (isSame) payees[payees.length - 1] = { ...last, rowCount: last.rowCount + payee.rowCount };
    else payees.push(payee);
  }
  return payees;
}

/** Place of each row's payee. */
export function rowOwners(payees: readonly Payee[]): Int32Array {
  return Int32Array.from(payees.flatMap(({ rowCount }, payee) => Array<number>(rowCount).fill(payee)));
}

/** The Datanet of a model's row, and the row's place in its version. @param payees in their places */
export function datanetOfRow(
  {
    payees,
    recipe,
  }: { readonly payees: readonly Payee[]; readonly recipe: Pick<RecipeBase, "datanet" | "furtherDatanets"> },
  row: number,
): { datanetId: number; versionRow: number } {
  if (recipe.furtherDatanets === undefined) return { datanetId: recipe.datanet.id, versionRow: row };
  const shards = payeeShards(payees.map(({ rowCount }) => rowCount));
  const place = shards.findLastIndex(({ firstRow }) => firstRow <= row);
  return { datanetId: versionsOf(recipe)[place]!.id, versionRow: row - shards[place]!.firstRow };
}

/**
 * Requires the recipe's rows and labels.
 * @throws ATT_ROWS_MISMATCH where the rows, in this order and with these owners, are not those of the recipe's
 * versions; ATT_LABELS_MISMATCH where their accepted labels are not those that the recipe names
 */
export function checkRowsRoot(
  rows: readonly OwnedRow[],
  recipe: Pick<RecipeBase, "datanet" | "furtherDatanets">,
): void {
  const versions = versionsOf(recipe);
  const given = versionRows(rows);
  // A row of no version would be trained on and be part of no root.
  if (given.length !== versions.length || given.reduce((sum, { length }) => sum + length, 0) !== rows.length)
    throw attributionError(
      "ATT_ROWS_MISMATCH",
      `rows of ${given.length} datanets were given, the recipe names ${versions.length}`,
    );
  for (const [place, version] of versions.entries()) {
    checkVersionRoot(given[place]!, version);
    checkLabelsRoot(given[place]!, version);
  }
}

/** Root of the labels of a version's rows, which all have been looked up; null where one has not. */
export const rowLabelsRoot = (rows: readonly OwnedRow[]): bigint | null =>
  rows.every(({ label }) => label !== undefined)
    ? labelsRoot(rows.map(({ content, label }) => ({ digest: sha256(content), label: label ?? null })))
    : null;

function checkLabelsRoot(rows: readonly OwnedRow[], { id, labels, version }: RecipeVersion): void {
  if (labels === undefined) return;
  const root = rowLabelsRoot(rows);
  if (root === BigInt(labels)) return;
  throw attributionError(
    "ATT_LABELS_MISMATCH",
    root === null
      ? `the rows of datanet ${id}, version ${version}, were given without their accepted labels`
      : `the labels of ${rows.length} rows are not the accepted ones that the recipe names for datanet ${id}, version ${version}`,
    { data: { expectedRoot: labels, actualRoot: root === null ? null : hex32(root) } },
  );
}

function checkVersionRoot(rows: readonly OwnedRow[], datanet: RecipeVersion): void {
  const root = versionRowsRoot(
    rows.map(({ content, contributorId, validatorId }) => ({
      rowHash: hashRow(content),
      contributorId,
      validatorId,
    })),
  );
  if (root === BigInt(datanet.rowsRoot)) return;
  throw attributionError(
    "ATT_ROWS_MISMATCH",
    `${rows.length} rows are not those of datanet ${datanet.id}, version ${datanet.version}`,
    {
      data: {
        expectedRoot: datanet.rowsRoot,
        actualRoot: hex32(root),
        contents: hashContents(rows.map(({ content }) => content)),
      },
    },
  );
}
