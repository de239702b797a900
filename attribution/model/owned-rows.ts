/** Rows of a version with their owners, whatever the rows hold. */

import type { Payee, PayeeOwners } from "@openledger/circuits/ledger/rewards";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import { attributionError } from "../attribution-errors.ts";
import { hashContents } from "../rows/labelled-rows.ts";
import type { RecipeBase } from "./recipe-fields.ts";

/** A row of the version, with the payee it earns for. */
export interface OwnedRow extends PayeeOwners {
  readonly content: Uint8Array;
}

/** The payees of rows in the version's order, ascending by contributor, then validator. @throws ATT_ROWS_MISMATCH */
export function payeeTable(rows: readonly PayeeOwners[]): Payee[] {
  const payees: Payee[] = [];
  for (const [index, { contributorId, validatorId }] of rows.entries()) {
    const last = payees.at(-1);
    const order =
      last === undefined ? 1 : contributorId - last.contributorId || validatorId - last.validatorId;
    if (order < 0) {
      throw attributionError(
        "ATT_ROWS_MISMATCH",
        `row ${index} belongs to an earlier payee than row ${index - 1}`,
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

/** Payees of all shards as their version has them: none absent, each once. */
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

/** Of each row the place of its payee. */
export function rowOwners(payees: readonly Payee[]): Int32Array {
  return Int32Array.from(payees.flatMap(({ rowCount }, payee) => Array<number>(rowCount).fill(payee)));
}

/** @throws ATT_ROWS_MISMATCH where the rows, in this order and with these owners, are not those of the recipe */
export function checkRowsRoot(rows: readonly OwnedRow[], { datanet }: Pick<RecipeBase, "datanet">): void {
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
