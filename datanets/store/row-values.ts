/**
 * Values of a table's rows in the host's database, beside the rows, by the Datanet's card: statistics and filters read them
 * (field-statistics.ts, field-filters.ts). Rows that are none of the table have none.
 */
import type { FieldType } from "@openledger/attribution/rows/row-kinds";
import type { TableField } from "@openledger/attribution/rows/table-rows";
import { integers, texts } from "@openledger/foundation/database/binary-lists";
import type { Queries } from "@openledger/foundation/database/queries";
import type { RowView } from "../rows/row-view.ts";
import { storable } from "./sql-values.ts";

/** Maximum characters of a category: longer ones are counted and found by their beginnings. */
const MAX_NAME_CHARACTERS = 100;

/** Columns of `row_values`; null = missing. */
export interface RowValues {
  /** Numbers, and lengths of texts in UTF-16 code units, in the order of the card's fields of these types. */
  readonly numbers: readonly (number | null)[];
  /** Categories, and booleans as "true" and "false", in the order of the card's fields of these types. */
  readonly names: readonly (string | null)[];
}

type ColumnName = keyof RowValues;
const COLUMNS: Readonly<Record<FieldType, ColumnName>> = {
  number: "numbers",
  text: "numbers",
  category: "names",
  boolean: "names",
};

export const columnOf = ({ type }: TableField): ColumnName => COLUMNS[type];

/** Fields of a column, in its order. */
export const fieldsOfColumn = <Field extends TableField>(
  fields: readonly Field[],
  column: ColumnName,
): Field[] => fields.filter((field) => columnOf(field) === column);

/** Position of a field in its column, from 1, as SQL counts. */
export const placeOf = (fields: readonly TableField[], field: TableField): number =>
  fieldsOfColumn(fields, columnOf(field)).indexOf(field) + 1;

/** A category as the database has it. */
export const storedName = (name: string): string => storable(name.slice(0, MAX_NAME_CHARACTERS));

/** Values of a row for the database; null if it is no row of a table. */
export function rowValuesOf(
  { fields }: { readonly fields: readonly TableField[] },
  { values }: RowView,
): RowValues | null {
  if (values === undefined) return null;
  const numbers: (number | null)[] = [];
  const names: (string | null)[] = [];
  for (const [i, field] of fields.entries()) {
    const value = values[i]!;
    if (columnOf(field) === "numbers")
      numbers.push(value === null ? null : typeof value === "string" ? value.length : Number(value));
    else names.push(value === null ? null : storedName(String(value)));
  }
  return { numbers, names };
}

/** Stores the values of rows by number, of which none are there. */
export async function storeRowValues(
  { query }: Queries,
  datanetId: number,
  rows: readonly { readonly number: number; readonly values: RowValues | null }[],
): Promise<void> {
  const valued = rows.flatMap(({ number, values }) => (values === null ? [] : [{ number, ...values }]));
  if (valued.length === 0) return;
  await query(
    `insert into row_values
       select $1, number, numbers::float8[], names::text[]
         from unnest($2::int[], $3::text[], $4::text[]) as part (number, numbers, names)`,
    [
      datanetId,
      integers(valued.map(({ number }) => number)),
      texts(valued.map(({ numbers }) => arrayText(numbers))),
      texts(valued.map(({ names }) => arrayText(names))),
    ],
  );
}

/** Text of an array, as PostgreSQL reads it. The driver has none for a list of lists with nulls. */
export const arrayText = (values: readonly (string | number | null)[]): string =>
  `{${values.map((value) => (value === null ? "NULL" : `"${String(value).replace(/["\\]/g, "\\$&")}"`)).join(",")}}`;

/** SQL of the condition that a row's values are those of the present card: a newer card reads rows a part at a time. */
export const PRESENT_VALUES = `not exists (select 1 from descriptions
  where descriptions.datanet_id = row_values.datanet_id and row_values.number >= next_row and row_values.number < end_row)`;
