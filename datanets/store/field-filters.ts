/** Filters of a host's search by the fields of a table: a category or yes and no by its name, a number from and to, what is missing. */
import type { TableField } from "@openledger/attribution/rows/table-rows";
import { z } from "zod";
import type { Card } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import { type FieldFilter, fieldFilterSchema, MAX_FIELD_FILTERS } from "../rows/field-filter.ts";
import { columnOf, PRESENT_VALUES, placeOf, storedName } from "./row-values.ts";
import type { SqlValues } from "./sql-values.ts";

/** Maximum characters of the filters' JSON. */
const MAX_JSON_CHARACTERS = 4_000;
/** Maximum rows of a Datanet whose fields are filtered without words: the values of all may be gone through. */
const MAX_FILTERED_ROWS = 2_000_000;

/** Filters as they come in a query: JSON. */
export const fieldFiltersText = z
  .string()
  .max(MAX_JSON_CHARACTERS)
  .transform((text, context): FieldFilter[] => {
    try {
      const parsed = z.array(fieldFilterSchema).max(MAX_FIELD_FILTERS).safeParse(JSON.parse(text));
      if (parsed.success) return parsed.data;
      context.addIssue({ code: "custom", message: z.prettifyError(parsed.error).slice(0, 300) });
    } catch {
      context.addIssue({ code: "custom", message: "it is not JSON" });
    }
    return z.NEVER;
  });

/**
 * Requires filters that the card has fields for, and a Datanet that is small enough to go through.
 * @throws SRV_BAD_REQUEST
 */
export function requireFieldFilters(
  { row }: Pick<Card, "row">,
  filters: readonly FieldFilter[],
  { hasWords, rowCount }: { readonly rowCount: number; readonly hasWords: boolean },
): void {
  for (const filter of filters) {
    const field = row.fields.find(({ name }) => name === filter.field);
    if (field === undefined)
      throw refused("field-unknown", `the card has no field "${filter.field}"`, filter);
    const isFitting =
      "isMissing" in filter ||
      ("is" in filter
        ? field.type === (typeof filter.is === "boolean" ? "boolean" : "category")
        : field.type === "number");
    if (!isFitting)
      throw refused(
        "field-type",
        `the field "${field.name}" is a ${field.type}: filter it otherwise`,
        filter,
      );
  }
  if (filters.length > 0 && !hasWords && rowCount > MAX_FILTERED_ROWS)
    throw datanetError(
      "SRV_BAD_REQUEST",
      `fields of more than ${MAX_FILTERED_ROWS} rows are filtered only together with words: add some`,
      { data: { reason: "too-many-rows", rowCount, maxRows: MAX_FILTERED_ROWS } },
    );
}

/** SQL of the conditions that filters make of `row_values`; the fields are the card's. */
export function fieldConditions(
  { row }: Pick<Card, "row">,
  filters: readonly FieldFilter[],
  bind: SqlValues["bind"],
): string[] {
  const conditions = filters.flatMap((filter) => {
    const field: TableField = row.fields.find(({ name }) => name === filter.field)!;
    const value = `row_values.${columnOf(field)}[${placeOf(row.fields, field)}]`;
    if ("isMissing" in filter) return [`${value} is null`];
    if ("is" in filter) return [`${value} = ${bind(storedName(String(filter.is)))}`];
    const { from, to } = filter;
    return [
      ...(from === undefined ? [] : [`${value} >= ${bind(from)}::float8`]),
      ...(to === undefined ? [] : [`${value} <= ${bind(to)}::float8`]),
      ...(from === undefined && to === undefined ? [`${value} is not null`] : []),
    ];
  });
  return [...conditions, PRESENT_VALUES];
}

const refused = (reason: string, why: string, filter: FieldFilter) =>
  datanetError("SRV_BAD_REQUEST", why, { data: { reason, field: filter.field } });
