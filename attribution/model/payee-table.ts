/**
 * Table of a model's payees, the pairs of contributor and validator that share its payments, each with its number of rows. It is made
 * of the rows' owners alone, whatever the rows hold.
 */
import { inSlots, payeeShards } from "@openledger/circuits/ledger/payee-shards";
import type { Payee, PayeeOwners } from "@openledger/circuits/ledger/rewards";
import { MAX_PAYEE_COUNT } from "@openledger/circuits/protocol";
import { rowNumber } from "@openledger/foundation/row-number";
import { attributionError } from "../attribution-errors.ts";
import { type RowOwners, versionRows } from "./owned-rows.ts";
import { type RecipeBase, versionsOf } from "./recipe-fields.ts";

/**
 * Payees of rows in their versions' order, ascending by contributor, then validator. Each of several Datanets has a
 * shard, and its payees are in the places of that shard.
 * @throws ATT_ROWS_MISMATCH, ATT_BEYOND_CIRCUIT where one of several Datanets has more payees than a shard
 */
export function payeeTable(rows: readonly RowOwners[]): Payee[] {
  const tables = versionRows(rows).map(versionPayees);
  if (tables.length === 1) return tables[0]!;
  const max = MAX_PAYEE_COUNT;
  const large = tables.findIndex(({ length }) => length > max);
  if (large < 0) return inSlots(tables);
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
export function wholePayees(positions: readonly Payee[]): Payee[] {
  const payees: Payee[] = [];
  for (const payee of positions.filter(({ rowCount }) => rowCount > 0)) {
    const last = payees.at(-1);
    const isSame = last?.contributorId === payee.contributorId && last.validatorId === payee.validatorId;
    if (isSame) payees[payees.length - 1] = { ...last, rowCount: last.rowCount + payee.rowCount };
    else payees.push(payee);
  }
  return payees;
}

/** Index of each row's payee in the table. */
export function rowOwners(payees: readonly Payee[]): Int32Array {
  return Int32Array.from(payees.flatMap(({ rowCount }, payee) => Array<number>(rowCount).fill(payee)));
}

/** The Datanet of a model's row, and the row's index in its version. @param payees with the absent ones of each shard */
export function datanetOfRow(
  {
    payees,
    recipe,
  }: { readonly payees: readonly Payee[]; readonly recipe: Pick<RecipeBase, "datanet" | "furtherDatanets"> },
  row: number,
): { datanetId: number; versionRow: number } {
  if (recipe.furtherDatanets === undefined) return { datanetId: recipe.datanet.id, versionRow: row };
  const shards = payeeShards(payees.map(({ rowCount }) => rowCount));
  const position = shards.findLastIndex(({ firstRow }) => firstRow <= row);
  return { datanetId: versionsOf(recipe)[position]!.id, versionRow: row - shards[position]!.firstRow };
}
