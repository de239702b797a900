/** List of the kinds of rows, which cards, hosts, recipes, readers of files, pages and commands share. */

/**
 * Forms of a row's bytes:
 *
 *   text     any text as it is, UTF-8
 *   passage  canonical JSON of text-rows.ts: a text, or a prompt with its answer, for language models
 *   image    PNG, JPEG, GIF or WebP as it is
 *   table    canonical JSON of an object of the card's fields
 */
export const ROW_KINDS = ["text", "passage", "image", "table"] as const;
export type RowKind = (typeof ROW_KINDS)[number];
