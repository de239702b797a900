/**
 * Columns that number the rows or tell the label by themselves. A model of row numbers in a file that is sorted by its labels is right on
 * every unseen row of that file, and on no new one; and a column that is written once the label is known tells nothing to whoever asks
 * before. No figure shows either, so they are said before a training and beside its figures. Nothing is refused: a column may tell the
 * label honestly.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { InputShape } from "../inputs/choose-inputs.ts";
import { numberingFields } from "../rows/numbering-fields.ts";
import { contentOfRow } from "../rows/salted-rows.ts";
import { decodeTableRow, type FieldValue, type TableField } from "../rows/table-rows.ts";
import { wordsOf } from "../rows/words.ts";
import { eachFold, type Folds } from "./folds.ts";
import { majorityOf } from "./plain-baseline.ts";
import type { TellingColumn } from "./telling-words.ts";

/** Fewer rows tell nothing by themselves: chance does. */
const MIN_ROWS = 20;
/**
 * A column tells the label where it is right on so many unseen rows, with so few of the errors that the commonest label makes; or where it is
 * within the interval of the whole model, with at most half of those errors.
 */
const ALONE = { accuracy: 0.95, errorPart: 0.2 } as const;
const LIKE_THE_MODEL = { errorPart: 0.5 } as const;
/** A word tells a label from such parts on, of its rows and of the rows with it; and such counts of rows with the label, and of others. */
const WORD = { recall: 0.95, precision: 0.95, minRows: 10 } as const;
/** Words of a text that are named, at most: where each label has one, the first few show what is wrong. */
const MAX_WORDS = 3;
/** Leaves of a number's splits, as a power of two; rows of a leaf, at least. */
const MAX_DEPTH = 4;
const MIN_LEAF = 3;

export interface JudgedColumns extends Pick<Folds, "folds"> {
  readonly foldCount: number;
  /** Lower end of the interval of the whole model's accuracy on unseen rows. Absent: before it is trained. */
  readonly low?: number;
}

interface Labelled {
  readonly content: Uint8Array;
  readonly label?: string | null;
}

/**
 * Judges each column alone on the folds of the model's figure: numbers by their best splits, other values by the commonest label among the
 * rows with the same value. Words are not fitted to rows but for their label, and so are judged on all. Pictures have no columns.
 * @param shape kind and fields, of which those that the recipe leaves out are `ignored`
 * @param rows of the version, in its order; those without a label or of another kind do not count
 */
export function tellingColumns(
  { fields = [], kind }: Pick<InputShape, "fields" | "kind">,
  rows: readonly Labelled[],
  judged: JudgedColumns,
): TellingColumn[] {
  if (kind === "image") return [];
  const named = rows.map(({ label }) => label ?? null);
  if (kind === "text") {
    const contents = rows.map(({ content }) => contentOfRow(content));
    return tellingWords(contents, named).map((word) => ({ ...word, field: null }));
  }
  const read = rows.flatMap(({ content }, row) => {
    const values = named[row] === null ? null : valuesOf(fields, content);
    return values === null ? [] : [{ row, values, label: named[row]! }];
  });
  const table = read.map(({ values }) => values);
  const labels = read.map(({ label }) => label);
  const own = { ...judged, folds: Int32Array.from(read, ({ row }) => judged.folds[row]!) };
  const numbering = numberingFields(fields, table);
  const countedCount = fields.filter((field) => !isLeftOut(field)).length;
  return fields.flatMap((field, at): TellingColumn[] => {
    const { name, type } = field;
    const values = table.map((row) => row[at]!);
    if (isLeftOut(field) && values.every((value, i) => String(value) === labels[i])) return [];
    const isCounted = !isLeftOut(field);
    if (numbering[at]!) return [{ kind: "numbers-rows", field: name, isCounted }];
    if (!isCounted) return [];
    const alone = judgeColumn(values, labels, own);
    // The one field of a model is right where the model is.
    if (alone !== null && tells(alone, countedCount === 1 ? undefined : judged.low))
      return [{ kind: "tells-label", field: name, ...alone }];
    if (type !== "text") return [];
    const texts = values.map((value) => new TextEncoder().encode(value === null ? "" : String(value)));
    return tellingWords(texts, labels).map((word) => ({ ...word, field: name }));
  });
}

/** A recipe's fields say themselves which are no input. */
const isLeftOut = (field: TableField): boolean => "ignored" in field;

function valuesOf(fields: readonly TableField[], content: Uint8Array): FieldValue[] | null {
  try {
    return decodeTableRow(fields, content);
  } catch (error) {
    if (isRollupError(error, "ATT_ROW_INVALID")) return null;
    throw error;
  }
}

interface Alone {
  readonly accuracy: number;
  readonly majority: number;
}

function tells({ accuracy, majority }: Alone, low: number | undefined): boolean {
  const errorPart = (1 - accuracy) / (1 - majority);
  if (accuracy >= ALONE.accuracy && errorPart <= ALONE.errorPart) return true;
  return low !== undefined && accuracy >= low && errorPart <= LIKE_THE_MODEL.errorPart;
}

/** Accuracy of a column alone on rows of folds that its rule has not seen; null for too few rows or one label. */
function judgeColumn(
  values: readonly FieldValue[],
  labels: readonly string[],
  { foldCount, folds }: JudgedColumns,
): Alone | null {
  const names = [...new Set(labels)];
  const numbered = Int32Array.from(labels, (label) => names.indexOf(label));
  if (labels.length < MIN_ROWS || names.length < 2) return null;
  let right = 0;
  let common = 0;
  let count = 0;
  for (const { others, own } of eachFold(folds, foldCount)) {
    if (others.length === 0) continue;
    const commonest = majorityOf(numbered, others, names.length);
    const labelOf = ruleOf(values, { labels: numbered, classCount: names.length, commonest }, others);
    for (const row of own) {
      count += 1;
      if (labelOf(values[row]!) === numbered[row]) right += 1;
      if (commonest === numbered[row]) common += 1;
    }
  }
  return count === 0 || common === count ? null : { accuracy: right / count, majority: common / count };
}

interface Classes {
  readonly labels: Int32Array;
  readonly classCount: number;
  /** Label of values that no trained row has. */
  readonly commonest: number;
}

/** Labels values by those of the trained rows. */
function ruleOf(
  values: readonly FieldValue[],
  classes: Classes,
  train: Int32Array,
): (value: FieldValue) => number {
  const { classCount, commonest, labels } = classes;
  const ofValue = new Map<FieldValue, number[]>();
  const numbers: number[] = [];
  for (const row of train) {
    const value = values[row]!;
    if (typeof value === "number") numbers.push(row);
    else if (ofValue.has(value)) ofValue.get(value)!.push(row);
    else ofValue.set(value, [row]);
  }
  const labelOf = new Map([...ofValue].map(([value, rows]) => [value, majorityOf(labels, rows, classCount)]));
  numbers.sort((a, b) => (values[a] as number) - (values[b] as number));
  const ordered = {
    of: Float64Array.from(numbers, (row) => values[row] as number),
    labels: numbers.map((row) => labels[row]!),
  };
  const leaves =
    numbers.length === 0 ? [] : leavesOf(ordered, classCount, { from: 0, to: numbers.length }, MAX_DEPTH);
  return (value) =>
    typeof value === "number"
      ? (leaves.find(({ below }) => value < below)?.label ?? commonest)
      : (labelOf.get(value) ?? commonest);
}

interface Ordered {
  /** Ascending. */
  readonly of: Float64Array;
  readonly labels: readonly number[];
}
interface Leaf {
  readonly below: number;
  readonly label: number;
}

/** Splits a run of numbers where Gini's impurity of both sides is least (Breiman 1984), to a depth. Leaves ascend. */
function leavesOf(
  ordered: Ordered,
  classCount: number,
  { from, to }: { from: number; to: number },
  depth: number,
  below = Number.POSITIVE_INFINITY,
): Leaf[] {
  const counts = (at: number, end: number) => {
    const of = new Int32Array(classCount);
    for (let i = at; i < end; i++) of[ordered.labels[i]!] = of[ordered.labels[i]!]! + 1;
    return of;
  };
  const [left, right] = [new Int32Array(classCount), counts(from, to)];
  const label = right.indexOf(Math.max(...right));
  let best = { purity: 0, at: -1 };
  let squares = { left: 0, right: right.reduce((sum, x) => sum + x * x, 0) };
  const whole = squares.right / (to - from);
  for (let i = from; depth > 0 && i < to - 1; i++) {
    const moved = ordered.labels[i]!;
    // (x + 1)² − x² and (x − 1)² − x².
    squares = { left: squares.left + 2 * left[moved]! + 1, right: squares.right - 2 * right[moved]! + 1 };
    left[moved] = left[moved]! + 1;
    right[moved] = right[moved]! - 1;
    const [leftCount, rightCount] = [i + 1 - from, to - 1 - i];
    if (leftCount < MIN_LEAF || rightCount < MIN_LEAF || ordered.of[i] === ordered.of[i + 1]) continue;
    const purity = squares.left / leftCount + squares.right / rightCount;
    if (purity > best.purity) best = { purity, at: i + 1 };
  }
  if (best.at < 0 || best.purity <= whole) return [{ below, label }];
  const middle = (ordered.of[best.at - 1]! + ordered.of[best.at]!) / 2;
  return [
    ...leavesOf(ordered, classCount, { from, to: best.at }, depth - 1, middle),
    ...leavesOf(ordered, classCount, { from: best.at, to }, depth - 1, below),
  ];
}

type TellingWord = Extract<TellingColumn, { kind: "word-tells-label" }>;

/** The word that tells a label best, of each label that has one. */
function tellingWords(
  texts: readonly Uint8Array[],
  labels: readonly (string | null)[],
): Omit<TellingWord, "field">[] {
  const rowsWith = new Map<number, number[]>();
  for (const [row, text] of texts.entries()) {
    if (labels[row] === null) continue;
    for (const word of new Set(wordsOf(text, false)))
      if (rowsWith.has(word)) rowsWith.get(word)!.push(row);
      else rowsWith.set(word, [row]);
  }
  const total = labels.filter((label) => label !== null).length;
  const sizes = new Map<string, number>();
  for (const label of labels) if (label !== null) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  const best = new Map<string, { word: number; recall: number; precision: number }>();
  for (const [word, rows] of rowsWith) {
    const counts = new Map<string, number>();
    for (const row of rows) counts.set(labels[row]!, (counts.get(labels[row]!) ?? 0) + 1);
    for (const [label, count] of counts) {
      const size = sizes.get(label)!;
      const [recall, precision] = [count / size, count / rows.length];
      if (size < WORD.minRows || total - size < WORD.minRows) continue;
      if (recall < WORD.recall || precision < WORD.precision) continue;
      const known = best.get(label);
      if (known === undefined || recall + precision > known.recall + known.precision)
        best.set(label, { word, recall, precision });
    }
  }
  const named = [...best].sort(([, a], [, b]) => b.recall + b.precision - a.recall - a.precision);
  return named.slice(0, MAX_WORDS).map(([label, { precision, recall, word }]) => {
    const text = texts[rowsWith.get(word)![0]!]!;
    return { kind: "word-tells-label", label, recall, precision, word: spellingOf(word, text) };
  });
}

/** Letters of a word in a text that has it. */
function spellingOf(word: number, text: Uint8Array): string {
  const encoder = new TextEncoder();
  const isWord = (letters: string) => {
    const found = wordsOf(encoder.encode(letters), false);
    return found.length === 1 && found[0] === word;
  };
  const decoded = new TextDecoder().decode(text);
  const pieces = decoded.split(/[^\p{L}\p{M}\p{N}]+/u);
  return (pieces.find(isWord) ?? [...decoded].find(isWord) ?? `#${word}`).toLowerCase();
}
