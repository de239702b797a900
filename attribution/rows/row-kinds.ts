/** List of the kinds of rows, which cards, hosts, recipes, readers of files, pages and commands share, and the types of a table's fields. */

/**
 * Forms of a row's bytes:
 *
 *   text     any text as it is, UTF-8
 *   passage  canonical JSON of text-rows.ts: a text, a prompt with its answer, or messages, for language models
 *   image    PNG, JPEG, GIF or WebP as it is
 *   table    canonical JSON of table-rows.ts: an object of the card's fields
 */
export const ROW_KINDS = ["text", "passage", "image", "table"] as const;
export type RowKind = (typeof ROW_KINDS)[number];

/** Kinds of rows that a classifier reads; language models read passages. */
export type InputKind = Exclude<RowKind, "passage">;

/** Use of a model: it sorts rows by their labels, predicts a column, or writes. */
export type ModelUse = "sort" | "predict" | "write";

export function useOfKind(kind: RowKind): ModelUse {
  if (kind === "passage") return "write";
  return kind === "table" ? "predict" : "sort";
}

/**
 * Types of a table's fields. A category is one of few names, a text is written freely: only texts make near-duplicates, and
 * only categories and booleans are counted.
 */
export const FIELD_TYPES = ["number", "category", "text", "boolean"] as const;
export type FieldType = (typeof FIELD_TYPES)[number];
