/**
 * Turns rows into counts of features without a recipe, for models that look for wrong labels and outliers. Assumes rows of one
 * card; skips rows that no model can read. The check of a Datanet's commits (datanet-check.ts) and the host's check of rows
 * (datanets/cleaning/label-doubts.ts) call it.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { chooseInputs } from "../inputs/choose-inputs.ts";
import { countedRows } from "../inputs/counted-rows.ts";
import { openInputs } from "../inputs/open-inputs.ts";
import type { SparseRows } from "../maths/sparse-rows.ts";
import type { RowKind } from "../rows/row-kinds.ts";
import type { TableField } from "../rows/table-rows.ts";
import { decodeTextRow, wholeText } from "../rows/text-rows.ts";

/**
 * Buckets for the features. No circuit limits them. With 512, where only single words of e-mails fit, a commit with right labels
 * was refused.
 */
const BUCKETS = { bucketCount: 2_048, baseBuckets: 0 };

export interface JudgedRows {
  /** Positions, ascending, of the rows that a model can read. */
  readonly positions: readonly number[];
  /** Counts of these rows' features, in the same order. */
  readonly inputs: SparseRows;
}

/** Counts the features of all readable rows. @param shape kind and fields from the Datanet's card */
export async function judgedRows(
  shape: { readonly kind: RowKind; readonly fields: readonly TableField[] },
  contents: readonly Uint8Array[],
): Promise<JudgedRows> {
  const { fields, kind } = shape;
  const isPassage = kind === "passage";
  const encoder = new TextEncoder();
  const texts = isPassage
    ? contents.map((content) => orNull(() => encoder.encode(wholeText(decodeTextRow(content)))))
    : contents;
  const readable = [...texts.keys()].filter((i) => texts[i] !== null);
  const inputs = await chooseInputs(
    { kind: isPassage ? "text" : kind, fields },
    readable.map((i) => texts[i]!),
    BUCKETS,
  );
  const counter = await openInputs(inputs, BUCKETS);
  const counted = readable.flatMap((position) => {
    const counts = orNull(() => counter.countsOf(counter.promptOf(texts[position]!)));
    return counts === null ? [] : [{ position, counts }];
  });
  return {
    positions: counted.map(({ position }) => position),
    inputs: countedRows(
      counter,
      counted.map(({ counts }) => counts),
    ),
  };
}

/** Returns null for a row that no model can read (`ATT_ROW_INVALID`). */
function orNull<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch (error) {
    if (isRollupError(error, "ATT_ROW_INVALID")) return null;
    throw error;
  }
}
