/**
 * Fields of a table that number or name its rows: row numbers, ids, hashes. A model learns by heart what they say of its own rows, and it
 * says nothing of others. Presets of recipes leave them out, and notices beside figures name them (model/telling-columns.ts).
 */
import { idFields } from "./similar-tables.ts";
import type { FieldValue, TableField } from "./table-rows.ts";

/** Fewer rows say nothing about a field. */
const MIN_ROWS = 20;
/** Part of the steps from a row to the next in which a number rises, from which it follows the order. Each contributor may begin anew. */
const RISING_PART = 0.95;
/** Numbers of rows in another order: of so many rows so many different ones, in so wide a span times the rows. */
const SHUFFLED = { distinctPart: 0.95, spanTimes: 1.5 } as const;

/**
 * True for each field that numbers or names the rows: whole numbers that rise with the order of the rows, or that are the numbers of as many
 * rows in another order; categories most of which no two rows share; and texts of one word each, such as hashes. Measured whole numbers
 * that differ, such as incomes, are no such field, unless the rows are sorted by them.
 * @param rows values in the order of the fields, of the version's rows in its order
 */
export function numberingFields(
  fields: readonly TableField[],
  rows: readonly (readonly FieldValue[])[],
): boolean[] {
  const isId = idFields(rows);
  return fields.map(({ type }, field) => {
    const values = rows.map((row) => row[field]!).filter((value) => value !== null);
    if (values.length < MIN_ROWS) return false;
    if (type === "number") return areRowNumbers(values as number[]);
    if (isId[field] !== true) return false;
    return type === "category" || (values as string[]).every((value) => !/\s/.test(value.trim()));
  });
}

function areRowNumbers(numbers: readonly number[]): boolean {
  if (!numbers.every(Number.isInteger)) return false;
  const rises = numbers.filter((number, i) => i > 0 && number > numbers[i - 1]!).length;
  if (rises >= RISING_PART * (numbers.length - 1)) return true;
  const distinctCount = new Set(numbers).size;
  const [min, max] = numbers.reduce(
    ([low, high], x) => [Math.min(low, x), Math.max(high, x)],
    [numbers[0]!, numbers[0]!],
  );
  return (
    distinctCount >= SHUFFLED.distinctPart * numbers.length && max - min < SHUFFLED.spanTimes * numbers.length
  );
}
