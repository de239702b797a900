/**
 * Rows of tables, as bytes of canonical JSON: an object with the fields of the Datanet's card, in the card's order. Hosts, readers
 * of files and pages write and read them.
 */
import { isWellFormed, textOfBytes } from "@openledger/foundation/utf8";
import { attributionError } from "../attribution-errors.ts";
import type { FieldType } from "./row-kinds.ts";
import { contentOfRow } from "./salted-rows.ts";

/** Field of a table, as a card has it. */
export interface TableField {
  readonly name: string;
  readonly type: FieldType;
}

/** Value of a field; null = missing. */
export type FieldValue = number | string | boolean | null;

/**
 * Writes a row, with the values in the order of the fields.
 * @example {"age":46,"city":"Oslo","note":null}
 * @throws ATT_ROW_INVALID naming the field
 */
export function encodeTableRow(fields: readonly TableField[], values: readonly FieldValue[]): Uint8Array {
  for (const [i, { name, type }] of fields.entries()) {
    const value = values[i];
    if (value === undefined || !isOfType(type, value)) throw invalidField(name, type);
  }
  return new TextEncoder().encode(canonicalText(fields, values));
}

function canonicalText(fields: readonly TableField[], values: readonly FieldValue[]): string {
  // By hand: an object would put names that are whole numbers first.
  const parts = fields.map(({ name }, i) => `${JSON.stringify(name)}:${JSON.stringify(values[i])}`);
  return `{${parts.join(",")}}`;
}

/**
 * Reads a row: its values in the order of the fields.
 * @throws ATT_ROW_INVALID where the content is not exactly what `encodeTableRow` writes
 */
export function decodeTableRow(fields: readonly TableField[], content: Uint8Array): FieldValue[] {
  let text: string;
  let record: unknown;
  try {
    text = textOfBytes(contentOfRow(content));
    record = JSON.parse(text);
  } catch (cause) {
    throw invalidRow("it is not JSON in UTF-8", {}, cause);
  }
  if (typeof record !== "object" || record === null || Array.isArray(record))
    throw invalidRow("it is no object", {});
  const values = fields.map(({ name, type }) => {
    const value: unknown = Object.hasOwn(record, name)
      ? (record as Record<string, unknown>)[name]
      : undefined;
    if (!isOfType(type, value)) throw invalidField(name, type);
    return value;
  });
  // Different bytes are different texts.
  if (canonicalText(fields, values) !== text)
    throw invalidRow("it is not written canonically (docs/reference/attribution.md)", {});
  return values;
}

/**
 * Values of a row from what a person types: numbers as in JSON, `true` or `false`, and any text; an empty text is a missing value.
 * @param texts by the names of fields; a field that is not there is missing
 * @throws ATT_ROW_INVALID naming the field, also for a name that is no field's
 */
export function typedValues(fields: readonly TableField[], texts: ReadonlyMap<string, string>): FieldValue[] {
  for (const name of texts.keys())
    if (!fields.some((field) => field.name === name))
      throw invalidRow(`there is no field "${name}"`, { field: name });
  return fields.map(({ name, type }) => {
    const typed = (texts.get(name) ?? "").trim();
    if (typed === "") return null;
    if (type === "category" || type === "text") return typed;
    const value = TYPED[type](typed);
    if (value === undefined)
      throw invalidRow(`"${typed.slice(0, 40)}" in its field "${name}" is no ${type}`, { field: name });
    return value;
  });
}

const NUMERAL = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const TYPED: Readonly<Record<"number" | "boolean", (text: string) => FieldValue | undefined>> = {
  // Adding 0 leaves no sign to a zero.
  number: (text) => (NUMERAL.test(text) && Number.isFinite(Number(text)) ? Number(text) + 0 : undefined),
  boolean: (text) => ({ true: true, false: false })[text],
};

/** Text of a row, for search and comparison: a line `name: value` for each field that is not missing. */
export function tableText(fields: readonly TableField[], values: readonly FieldValue[]): string {
  return fields
    .flatMap(({ name }, i) => (values[i] === null ? [] : [`${name}: ${String(values[i])}`]))
    .join("\n");
}

/** True if rows of these fields have texts, by which near-duplicates are found. */
export const hasTexts = (fields: readonly TableField[]): boolean =>
  fields.some(({ type }) => type === "text");

function isOfType(type: FieldType, value: unknown): value is FieldValue {
  if (value === null) return true;
  if (type === "number") return typeof value === "number" && Number.isFinite(value) && !Object.is(value, -0);
  if (type === "boolean") return typeof value === "boolean";
  return typeof value === "string" && isWellFormed(value);
}

const invalidField = (field: string, type: FieldType) =>
  invalidRow(`its field "${field}" is missing, or no ${type}; null stands for a missing value`, { field });

function invalidRow(why: string, data: { field?: string }, cause?: unknown) {
  return attributionError("ATT_ROW_INVALID", `not a row of the table: ${why}`, {
    data: { kind: "table", why, ...data },
    cause,
  });
}
