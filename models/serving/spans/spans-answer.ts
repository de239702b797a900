/**
 * JSON form of a server's answer about spans, the parts of a text that occur word for word in a version: which parts, in which
 * rows, and those rows whole with their Merkle paths.
 */

import { base64Of } from "@openledger/attribution/rows/row-content";
import { FIELD_ORDER, TREE_ARITY } from "@openledger/circuits/protocol";
import { hex32 } from "@openledger/foundation/hex";
import { z } from "zod";
import { ROW_TEXTS, type RowText } from "./span-documents.ts";
import { falseSpans } from "./span-errors.ts";

/** Maximum depth of a tree: 8^11 rows are more than 32 bits count. */
const MAX_DEPTH = 11;

/** A row of the version, whole. */
export interface SourceRow {
  /** Place in the version's order. */
  readonly row: number;
  readonly content: Uint8Array;
  /** Leaves of the ledger. */
  readonly contributorId: number;
  readonly validatorId: number;
  /** Seven siblings a level, from the row up. */
  readonly siblings: readonly (readonly bigint[])[];
}

/** A part of the text, in bytes of its UTF-8. */
export interface ClaimedSpan {
  readonly start: number;
  readonly end: number;
  /** Occurrences in the version. Nothing proves this number. */
  readonly count: number;
  /** Some of the rows that have it. */
  readonly rows: readonly number[];
}

export interface SpansAnswer {
  readonly rowText: RowText;
  readonly spans: readonly ClaimedSpan[];
  /** Every row that a span names, once. */
  readonly rows: readonly SourceRow[];
  /** Spans of published rows that the answer has no room for. Those in other rows are not counted. */
  readonly omittedCount: number;
}

const digit = (row: number, level: number) => Math.floor(row / TREE_ARITY ** level) % TREE_ARITY;

/** A path without the nodes that follow from the row itself. */
export const siblingsOf = (path: readonly (readonly bigint[])[], row: number): bigint[][] =>
  path.map((children, level) => children.filter((_, i) => i !== digit(row, level)));

/** Path with a 0 at the place of the row's own node. */
export const pathOf = ({ row, siblings }: Pick<SourceRow, "row" | "siblings">): bigint[][] =>
  siblings.map((some, level) => some.toSpliced(digit(row, level), 0, 0n));

const count = z.int().min(0).max(0xffffffff);
const leafId = z.int().min(0).max(0xffffff);
const element = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .transform(BigInt)
  .refine((value) => value < FIELD_ORDER);
const answerSchema = z.object({
  rowText: z.enum(ROW_TEXTS),
  spans: z.array(z.object({ start: count, end: count, count, rows: z.array(count).min(1) })),
  rows: z.array(
    z.object({
      row: count,
      contributorId: leafId,
      validatorId: leafId,
      content: z.base64(),
      siblings: z.array(z.array(element).length(TREE_ARITY - 1)).max(MAX_DEPTH),
    }),
  ),
  omittedCount: count,
});

export function spansToJson({ rows, ...rest }: SpansAnswer): object {
  return {
    ...rest,
    rows: rows.map(({ content, siblings, ...row }) => ({
      ...row,
      content: base64Of(content),
      siblings: siblings.map((some) => some.map(hex32)),
    })),
  };
}

/** @throws MOD_SPANS_EVIDENCE_FALSE if the value is not of this form */
export function spansFromJson(value: unknown): SpansAnswer {
  const { success, data } = answerSchema.safeParse(value);
  if (!success) throw falseSpans("the answer is not of the documented form");
  return { ...data, rows: data.rows.map((row) => ({ ...row, content: fromBase64(row.content) })) };
}

// Buffer is not in browsers, and Uint8Array.fromBase64 is not in Node 20.
const fromBase64 = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
