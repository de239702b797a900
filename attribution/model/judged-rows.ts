/** Rows as numbers where no recipe says how: labels are judged by models of them. Checks of commits and hosts' checks of rows call it. */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { chooseInputs } from "../inputs/choose-inputs.ts";
import { countedRows } from "../inputs/counted-rows.ts";
import { openInputs } from "../inputs/open-inputs.ts";
import type { SparseRows } from "../maths/sparse-rows.ts";
import type { RowKind } from "../rows/row-kinds.ts";
import type { TableField } from "../rows/table-rows.ts";
import { decodeTextRow, wholeText } from "../rows/text-rows.ts";

/** No circuit bounds these buckets: in 512, where words of e-mails count without their pairs, a commit with right labels was refused. */
const ROOM = { bucketCount: 2_048, baseBuckets: 0 };

export interface JudgedRows {
  /** Positions of the rows that models read, ascending; the others are judged by nobody. */
  readonly places: readonly number[];
  readonly inputs: SparseRows;
}

/** @param shape as the card says */
export async function judgedRows(
  shape: { readonly kind: RowKind; readonly fields: readonly TableField[] },
  contents: readonly Uint8Array[],
): Promise<JudgedRows> {
  const { fields, kind } = shape;
  const isPassage = kind === "passage";
  const encoder = new TextEncoder();
  const texts = isPassage
    ? contents.map((content) => ifRead(() => encoder.encode(wholeText(decodeTextRow(content)))))
    : contents;
  const input = [...texts.keys()].filter((i) => texts[i] !== null);
  const inputs = await chooseInputs(
    { kind: isPassage ? "text" : kind, fields },
    input.map((i) => texts[i]!),
    ROOM,
  );
  const counter = await openInputs(inputs, ROOM);
  const counted = input.flatMap((place) => {
    const counts = ifRead(() => counter.countsOf(counter.promptOf(texts[place]!)));
    return counts === null ? [] : [{ place, counts }];
  });
  return {
    places: counted.map(({ place }) => place),
    inputs: countedRows(
      counter.termBuckets,
      counted.map(({ counts }) => counts),
    ),
  };
}

function ifRead<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch (error) {
    if (isRollupError(error, "ATT_ROW_INVALID")) return null;
    throw error;
  }
}
