/** Filters of the rows tab by fields of a table: in the page's address as JSON, in the form as texts. */
import type { Card } from "@openledger/datanets/card/card";
import {
  type FieldFilter,
  fieldFilterSchema,
  MAX_FIELD_FILTERS,
} from "@openledger/datanets/rows/field-filter";
import { z } from "zod";

/** Filters of the page's address, as far as the card has their fields; none for any other text. */
export function readFilters(text: string, fields: Card["row"]["fields"]): readonly FieldFilter[] {
  try {
    const filters = z.array(fieldFilterSchema).max(MAX_FIELD_FILTERS).parse(JSON.parse(text));
    return filters.filter(({ field }) => fields.some(({ name }) => name === field));
  } catch {
    return [];
  }
}

export const writeFilters = (filters: readonly FieldFilter[]): string =>
  filters.length === 0 ? "" : JSON.stringify(filters);

/** Filters with that of one field exchanged, up to as many as a host takes; null removes it. */
export function withFilter(
  filters: readonly FieldFilter[],
  field: string,
  filter: FieldFilter | null,
): readonly FieldFilter[] {
  const others = filters.filter((one) => one.field !== field);
  return filter === null ? others : [...others, filter].slice(-MAX_FIELD_FILTERS);
}

export interface RangeText {
  readonly from: string;
  readonly to: string;
}

/** Texts of a filter from and to. */
export function rangeText(filter: FieldFilter | undefined): RangeText {
  const { from, to } = filter !== undefined && !("is" in filter) && !("isMissing" in filter) ? filter : {};
  return { from: from === undefined ? "" : `${from}`, to: to === undefined ? "" : `${to}` };
}

/** Filter of two texts: null of empty ones, "wrong" of what is no number. */
export function rangeFilter(field: string, text: RangeText): FieldFilter | null | "wrong" {
  const [from, to] = [numberOf(text.from), numberOf(text.to)];
  if (from === "wrong" || to === "wrong") return "wrong";
  if (from === null && to === null) return null;
  return { field, ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) };
}

function numberOf(text: string): number | null | "wrong" {
  const written = text.trim();
  if (written === "") return null;
  return /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(written) && Number.isFinite(Number(written))
    ? Number(written)
    : "wrong";
}
