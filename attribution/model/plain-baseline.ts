/**
 * Plain baselines that a model's accuracy stands beside: the majority's label, and logistic regression as anybody would fit it, without
 * a circuit's counts and buckets. Texts are words by TF-IDF, pictures 14 × 14 pixels in three colours, tables standardised numbers and one column a
 * category. The penalty is the best of a few by inner folds. Held-out figures and benches call it. A model's leaf signs how many rows it
 * labels right, so every machine has to get the same: it computes by exact-math.ts alone.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { InputShape } from "../inputs/choose-inputs.ts";
import { exactLog } from "../maths/exact-math.ts";
import { type SparseRows, selectRows, sparseRows } from "../maths/sparse-rows.ts";
import { gridOf } from "../pictures/picture-grid.ts";
import { PictureProblem } from "../pictures/picture-problem.ts";
import { openPictures } from "../pictures/pictures.ts";
import { contentOfRow } from "../rows/salted-rows.ts";
import { decodeTableRow, type FieldValue, type TableField } from "../rows/table-rows.ts";
import { wordsOf } from "../rows/words.ts";
import { logisticModel } from "./direct/logistic-model.ts";
import { eachFold, foldsByLabel } from "./folds.ts";

/** Penalties times the rows that are trained on, λ · N: scikit-learn's C is its inverse. */
const PENALTIES = [3, 1, 0.3, 0.1, 0.03] as const;
const INNER_FOLDS = 3;
const TOLERANCE = 1e-3;
/** Pixels of a side. */
const SIDE = 14;

/** Column's name with its number. Names that no trained row has are no column. */
type Named = readonly [name: string, value: number];

/** Numbers of a row; those of `scaled` are standardised, the others are as they are. */
interface PlainRow {
  readonly terms: ReadonlyMap<string, number>;
  readonly scaled: readonly Named[];
  readonly plain: readonly Named[];
}

const NO_ROW: PlainRow = { terms: new Map(), scaled: [], plain: [] };

export interface PlainBaseline {
  /** Labels of the rows at `test`, by a model of those at `train`. */
  label(train: ArrayLike<number>, test: ArrayLike<number>): Int32Array;
}

/** @param labels class of each row @param contents of the rows, salted or not; one that is none of the kind has no columns */
export async function plainBaseline(
  shape: InputShape,
  contents: readonly Uint8Array[],
  labels: Int32Array,
  classCount: number,
): Promise<PlainBaseline> {
  const read = await reader(shape);
  const rows = contents.map((content) => {
    try {
      return read(contentOfRow(content));
    } catch (error) {
      if (error instanceof PictureProblem || isRollupError(error, "ATT_ROW_INVALID")) return NO_ROW;
      throw error;
    }
  });
  return {
    label(train, test) {
      const inputs = columnsOf(rows, Array.from(train));
      const fit = (indices: Int32Array, penalty: number, judged: ArrayLike<number>) =>
        labelsBy({ inputs, labels, classCount }, indices, penalty / indices.length, judged);
      const trained = Int32Array.from(train);
      const names = Array.from(trained, (i) => `${labels[i]}`);
      const { folds } = foldsByLabel(names, INNER_FOLDS, "plain");
      const rightBy = (penalty: number) => {
        let right = 0;
        for (const { others, own } of eachFold(folds, INNER_FOLDS)) {
          if (others.length === 0) continue;
          const judged = own.map((k) => trained[k]!);
          const found = fit(
            others.map((k) => trained[k]!),
            penalty,
            judged,
          );
          right += found.reduce((sum, label, k) => sum + (label === labels[judged[k]!] ? 1 : 0), 0);
        }
        return right;
      };
      const best = PENALTIES.map((penalty) => ({ penalty, right: rightBy(penalty) })).reduce((a, b) =>
        b.right > a.right ? b : a,
      );
      return fit(trained, best.penalty, test);
    },
  };
}

/** The label with the most rows; of equals the first. */
export function majorityOf(labels: Int32Array, train: ArrayLike<number>, classCount: number): number {
  const counts = new Int32Array(classCount);
  for (const i of Array.from(train)) counts[labels[i]!] = counts[labels[i]!]! + 1;
  return counts.indexOf(Math.max(...counts));
}

interface LabelledColumns {
  readonly inputs: SparseRows;
  readonly labels: Int32Array;
  readonly classCount: number;
}

function labelsBy(
  { classCount, inputs, labels }: LabelledColumns,
  indices: Int32Array,
  decay: number,
  judged: ArrayLike<number>,
): Int32Array {
  const model = logisticModel({ inputCount: inputs.columnCount, classCount, decay, tolerance: TOLERANCE });
  const parameters = model.train({ inputs, labels }, { indices });
  const asked = selectRows(inputs, judged);
  const losses = Array.from({ length: classCount }, (_, label) =>
    model.losses(parameters, { inputs: asked, labels: new Int32Array(judged.length).fill(label) }),
  );
  return Int32Array.from({ length: judged.length }, (_, k) =>
    losses.reduce((best, of, label) => (of[k]! < losses[best]![k]! ? label : best), 0),
  );
}

async function reader({
  fields = [],
  kind,
  leftOut = [],
}: InputShape): Promise<(content: Uint8Array) => PlainRow> {
  switch (kind) {
    case "text":
      return (content) => ({ ...NO_ROW, terms: termsOf("", content) });
    case "image": {
      const read = await openPictures();
      return (content) => {
        const { sums, whole } = gridOf(read(content), SIDE, 3);
        return { ...NO_ROW, plain: Array.from(sums, (sum, cell): Named => [`${cell}`, sum / whole]) };
      };
    }
    case "table":
      return (content) => tableRow(fields, leftOut, decodeTableRow(fields, content));
    default:
      return kind satisfies never;
  }
}

function tableRow(
  fields: readonly TableField[],
  leftOut: readonly string[],
  values: readonly FieldValue[],
): PlainRow {
  const terms = new Map<string, number>();
  const scaled: Named[] = [];
  const plain: Named[] = [];
  for (const [i, { name, type }] of fields.entries()) {
    const value = values[i]!;
    // A recipe's fields say themselves which are no input.
    if (leftOut.includes(name) || "ignored" in fields[i]!) continue;
    if (value === null) plain.push([`${name}\0missing`, 1]);
    else if (type === "number") scaled.push([name, Number(value)]);
    else if (type === "text")
      for (const [term, count] of termsOf(name, new TextEncoder().encode(String(value))))
        terms.set(term, count);
    else plain.push([`${name}\0${String(value)}`, 1]);
  }
  return { terms, scaled, plain };
}

/** Words with their counts, under a name. */
function termsOf(name: string, text: Uint8Array): Map<string, number> {
  const terms = new Map<string, number>();
  for (const word of wordsOf(text, true)) {
    const term = `${name}\0word ${word}`;
    terms.set(term, (terms.get(term) ?? 0) + 1);
  }
  return terms;
}

/** Rows as columns that some trained row has. TF-IDF: (1 + ln(count)) · (1 + ln((1 + N) / (1 + n))), a row's words of length 1. */
function columnsOf(rows: readonly PlainRow[], train: readonly number[]): SparseRows {
  const rowsWith = new Map<string, number>();
  const moments = new Map<string, { count: number; sum: number; squares: number }>();
  const columns = new Map<string, number>();
  const columnOf = (name: string) => {
    if (!columns.has(name)) columns.set(name, columns.size);
  };
  for (const { plain, scaled, terms } of train.map((i) => rows[i]!)) {
    for (const term of terms.keys()) rowsWith.set(term, (rowsWith.get(term) ?? 0) + 1);
    for (const [name, value] of scaled) {
      const { count, squares, sum } = moments.get(name) ?? { count: 0, sum: 0, squares: 0 };
      moments.set(name, { count: count + 1, sum: sum + value, squares: squares + value * value });
    }
    for (const name of [...terms.keys(), ...[...scaled, ...plain].map(([one]) => one)]) columnOf(name);
  }
  const entries = rows.map(({ plain, scaled, terms }) => {
    const found: [number, number][] = [];
    const weighed = [...terms].flatMap(([term, count]): Named[] => {
      const rowCount = rowsWith.get(term);
      if (rowCount === undefined) return [];
      return [[term, (1 + exactLog(count)) * (1 + exactLog((1 + train.length) / (1 + rowCount)))]];
    });
    const length = Math.sqrt(weighed.reduce((sum, [, value]) => sum + value * value, 0)) || 1;
    for (const [term, value] of weighed) found.push([columns.get(term)!, value / length]);
    for (const [name, value] of scaled) {
      const of = moments.get(name);
      if (of === undefined) continue;
      const mean = of.sum / of.count;
      const deviation = Math.sqrt(Math.max(0, of.squares / of.count - mean * mean)) || 1;
      found.push([columns.get(name)!, (value - mean) / deviation]);
    }
    for (const [name, value] of plain) if (columns.has(name)) found.push([columns.get(name)!, value]);
    return found.sort(([a], [b]) => a - b);
  });
  return sparseRows(Math.max(1, columns.size), entries);
}
